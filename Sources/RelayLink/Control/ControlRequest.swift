/// What a shim, or a person through `relayd`, asks of the running relayd. `protocol/control.md` is the contract.
package enum ControlRequest: Sendable, Equatable {
    /// Start a kernel; it is this connection's from now on.
    case launch(request: Int64, Launch)
    /// The kernel that an earlier relayd started is this connection's again.
    case resume(request: Int64, Launch, Keepsake)
    /// To the connection's kernel. Nothing answers: what it does shows in the kernel.
    case signal(number: Int32)
    /// - history: with the last ten minutes.
    case status(request: Int64, history: Bool = false)
    /// The figures, as OpenMetrics.
    case metrics(request: Int64)
    /// Where the status page is; where there is none it is opened, at `address` or anywhere on loopback.
    case page(request: Int64, address: String?)
    /// The connection file of a running kernel, for a second client; the only one where none is named.
    case connection(request: Int64, kernel: String?)
    /// What relayd has noted.
    case logs(request: Int64, Logs)
    /// What a kernel wrote to stderr last; of the only one where none is named.
    case stderr(request: Int64, kernel: String?)
    /// Show containers in Jupyter's launcher from now on; nothing to show them no longer.
    case discover(request: Int64, Discovery?)
    /// End one kernel, by its id or the beginning of it; its session goes on.
    case end(request: Int64, kernel: String, graceMilliseconds: Int64)
    /// End every kernel and every gate, then relayd itself.
    case stop(request: Int64, graceMilliseconds: Int64)

    package struct Logs: Sendable, Equatable {
        /// An id, or the beginning of one; nothing for all that there is.
        package var kernel: String?
        /// The last so many of those that are known.
        package var lines: Int64
        /// Go on with what comes, until the connection ends.
        package var follow: Bool

        package init(kernel: String? = nil, lines: Int64 = 100, follow: Bool = false) {
            self.kernel = kernel
            self.lines = lines
            self.follow = follow
        }
    }
}

extension ControlRequest: ControlMessage {
    package var type: String {
        switch self {
        case .launch: "launch"
        case .resume: "resume"
        case .signal: "signal"
        case .status: "status"
        case .metrics: "metrics"
        case .page: "page"
        case .connection: "connection"
        case .logs: "logs"
        case .stderr: "stderr"
        case .discover: "discover"
        case .end: "end"
        case .stop: "stop"
        }
    }

    package var body: [String: JSON] {
        switch self {
        case .launch(let request, let launch):
            return ["request": .whole(request), "kernel": .object(launch.body)]
        case .resume(let request, let launch, let keepsake):
            return [
                "request": .whole(request), "kernel": .object(launch.body),
                "keepsake": .object(keepsake.body),
            ]
        case .signal(let number): return ["signal": .whole(Int64(number))]
        case .status(let request, let history):
            var fields: [String: JSON] = ["request": .whole(request)]
            if history { fields["history"] = true }
            return fields
        case .metrics(let request): return ["request": .whole(request)]
        case .page(let request, let address):
            var fields: [String: JSON] = ["request": .whole(request)]
            fields["address"] = address.map { .string($0) }
            return fields
        case .logs(let request, let logs):
            var fields: [String: JSON] = [
                "request": .whole(request), "lines": .whole(logs.lines), "follow": .bool(logs.follow),
            ]
            fields["kernel"] = logs.kernel.map { .string($0) }
            return fields
        case .connection(let request, let kernel), .stderr(let request, let kernel):
            var fields: [String: JSON] = ["request": .whole(request)]
            fields["kernel"] = kernel.map { .string($0) }
            return fields
        case .discover(let request, let discovery):
            var fields: [String: JSON] = ["request": .whole(request)]
            fields["discovery"] = discovery.map { .object($0.body) }
            return fields
        case .end(let request, let kernel, let grace):
            return [
                "request": .whole(request), "kernel": .string(kernel), "graceMilliseconds": .whole(grace),
            ]
        case .stop(let request, let grace):
            return ["request": .whole(request), "graceMilliseconds": .whole(grace)]
        }
    }

    package init(type: String, body: JSON) throws(GateError) {
        let fields = try Fields(body, in: printable(type))
        func request() throws(GateError) -> Int64 { try fields.integer("request", in: 0...(1 << 53)) }
        func grace() throws(GateError) -> Int64 {
            try fields.optionalInteger("graceMilliseconds", in: 0...600_000) ?? 2500
        }
        func launch() throws(GateError) -> Launch {
            try Launch(Fields(.object(fields.map("kernel")), in: "kernel"))
        }
        switch type {
        case "launch": self = .launch(request: try request(), try launch())
        case "resume":
            let keepsake = try Keepsake(Fields(.object(fields.map("keepsake")), in: "keepsake"))
            self = .resume(request: try request(), try launch(), keepsake)
        case "signal": self = .signal(number: try SignalName.number(fields["signal"]))
        case "status": self = .status(request: try request(), history: try fields.flag("history"))
        case "metrics": self = .metrics(request: try request())
        case "page": self = .page(request: try request(), address: try fields.optionalString("address"))
        case "connection":
            self = .connection(request: try request(), kernel: try fields.optionalString("kernel"))
        case "logs":
            let logs = Logs(
                kernel: try fields.optionalString("kernel"),
                lines: try fields.optionalInteger("lines", in: 0...1_000_000) ?? 100,
                follow: try fields.flag("follow"))
            self = .logs(request: try request(), logs)
        case "stderr": self = .stderr(request: try request(), kernel: try fields.optionalString("kernel"))
        case "discover":
            let discovery = fields["discovery"] == nil ? nil : try fields.map("discovery")
            self = .discover(
                request: try request(),
                try discovery.map { fields throws(GateError) in
                    try Discovery(Fields(.object(fields), in: "discovery"))
                })
        case "end":
            let kernel = try fields.string("kernel")
            // Every id begins with nothing.
            if kernel.isEmpty { throw GateError(.message, "kernel in end is empty") }
            self = .end(request: try request(), kernel: kernel, graceMilliseconds: try grace())
        case "stop": self = .stop(request: try request(), graceMilliseconds: try grace())
        default: throw GateError(.messageType, printable(type))
        }
    }
}
