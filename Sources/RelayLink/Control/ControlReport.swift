/// What relayd answers. `protocol/control.md` is the contract.
package enum ControlReport: Sendable, Equatable {
    case failed(request: Int64?, code: String, message: String, remedy: String)
    /// There is no kernel, and the relay says so to the notebook; another `launched` may follow.
    case trouble(code: String, message: String, remedy: String)
    /// The kernel runs, and its ports are bound.
    case launched(request: Int64, ControlRequest.Keepsake)
    case output(stream: GateReport.OutputStream, data: [UInt8])
    /// The kernel has ended, and the five ports belong to nobody.
    case exited(GateReport.Exit)
    /// - more: another part of it follows, with more kernels.
    case status(request: Int64, JSON, more: Bool = false)
    /// OpenMetrics.
    case metrics(request: Int64, text: String)
    /// The status page's address, with its token where it has one.
    case page(request: Int64, url: String)
    /// The text of a connection file.
    case connection(request: Int64, kernel: String, file: String)
    case logs(request: Int64, Logs)
    /// What a kernel wrote to stderr last, and how many bytes came before that.
    case stderr(request: Int64, kernel: String, data: [UInt8], before: Int64)
    case done(request: Int64)

    package struct Logs: Sendable, Equatable {
        package var entries: [LogEntry]
        /// Entries between the last report of this request and this one that relayd no longer had.
        package var missed: Int64
        /// Whether another report of this request follows.
        package var more: Bool

        package init(entries: [LogEntry], missed: Int64 = 0, more: Bool) {
            self.entries = entries
            self.missed = missed
            self.more = more
        }
    }
}

extension ControlReport: ControlMessage {
    package var type: String {
        switch self {
        case .failed: "failed"
        case .trouble: "trouble"
        case .launched: "launched"
        case .output: "output"
        case .exited: "exited"
        case .status: "status"
        case .metrics: "metrics"
        case .page: "page"
        case .connection: "connection"
        case .logs: "logs"
        case .stderr: "stderr"
        case .done: "done"
        }
    }

    package var body: [String: JSON] {
        switch self {
        case .failed(let request, let code, let message, let remedy):
            var fields: [String: JSON] = [
                "code": .string(code), "message": .string(message), "remedy": .string(remedy),
            ]
            fields["request"] = request.map { .whole($0) }
            return fields
        case .trouble(let code, let message, let remedy):
            return ["code": .string(code), "message": .string(message), "remedy": .string(remedy)]
        case .launched(let request, let keepsake):
            return ["request": .whole(request), "keepsake": .object(keepsake.body)]
        case .output(let stream, let data):
            return ["stream": .string(stream.rawValue), "data": .string(Base64.encode(data))]
        case .exited(let exit): return exit.body
        case .status(let request, let status, let more):
            var fields: [String: JSON] = ["request": .whole(request), "status": status]
            if more { fields["more"] = true }
            return fields
        case .metrics(let request, let text): return ["request": .whole(request), "text": .string(text)]
        case .page(let request, let url): return ["request": .whole(request), "url": .string(url)]
        case .connection(let request, let kernel, let file):
            return ["request": .whole(request), "kernel": .string(kernel), "file": .string(file)]
        case .logs(let request, let logs):
            return [
                "request": .whole(request), "entries": .array(logs.entries.map(\.json)),
                "missed": .whole(logs.missed), "more": .bool(logs.more),
            ]
        case .stderr(let request, let kernel, let data, let before):
            return [
                "request": .whole(request), "kernel": .string(kernel),
                "data": .string(Base64.encode(data)), "before": .whole(before),
            ]
        case .done(let request): return ["request": .whole(request)]
        }
    }

    package init(type: String, body: JSON) throws(GateError) {
        let fields = try Fields(body, in: printable(type))
        func request() throws(GateError) -> Int64 { try fields.integer("request", in: 0...(1 << 53)) }
        switch type {
        case "failed":
            self = .failed(
                request: try fields.optionalInteger("request", in: 0...(1 << 53)),
                code: try fields.string("code"), message: try fields.string("message"),
                remedy: try fields.string("remedy"))
        case "trouble":
            self = .trouble(
                code: try fields.string("code"), message: try fields.string("message"),
                remedy: try fields.string("remedy"))
        case "launched":
            let keepsake = try Fields(.object(fields.map("keepsake")), in: "keepsake")
            self = .launched(request: try request(), try .init(keepsake))
        case "output":
            self = .output(stream: try fields.choice("stream", .stdout), data: try fields.bytes("data"))
        case "exited": self = .exited(try .init(fields))
        case "status":
            self = .status(
                request: try request(), fields["status"] ?? .null, more: try fields.flag("more"))
        case "metrics": self = .metrics(request: try request(), text: try fields.string("text"))
        case "page": self = .page(request: try request(), url: try fields.string("url"))
        case "connection":
            self = .connection(
                request: try request(), kernel: try fields.string("kernel"), file: try fields.string("file"))
        case "logs":
            var logs = Logs(
                entries: [], missed: try fields.integer("missed", in: 0...(1 << 53)),
                more: try fields.flag("more"))
            for entry in try fields.list("entries") { logs.entries.append(try LogEntry(entry)) }
            self = .logs(request: try request(), logs)
        case "stderr":
            self = .stderr(
                request: try request(), kernel: try fields.string("kernel"), data: try fields.bytes("data"),
                before: try fields.integer("before", in: 0...(1 << 53)))
        case "done": self = .done(request: try request())
        default: throw GateError(.messageType, printable(type))
        }
    }
}
