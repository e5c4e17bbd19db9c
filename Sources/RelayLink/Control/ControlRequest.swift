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

    /// A kernel as kernel.json asks for it.
    package struct Launch: Sendable, Equatable {
        package enum Route: String, Sendable, CaseIterable {
            case auto, published, bridge, line, tunnel
        }
        package enum Interrupt: String, Sendable, CaseIterable {
            /// By message, and by signal when the kernel does not answer that.
            case auto
            case signal, message
        }
        package enum Failure: String, Sendable, CaseIterable {
            /// The relay answers cells with the reason, and tries again.
            case kernel
            /// The shim ends.
            case exit
        }

        package enum DebugPaths: String, Sendable, CaseIterable {
            /// As the kernel has them.
            case container
            /// Of files that a bind mount shows in the container, the host's.
            case host
        }

        /// What Jupyter wrote: the five ports to bind, and the notebook's key.
        package var connectionFile: String
        package var container: String
        /// The engine's client, a word for each argument, and what of the caller's environment it needs.
        package var engine: [String]
        package var engineEnvironment: [String: String]
        /// As `docker exec --user` takes it. `host` has been replaced by the caller's uid:gid.
        package var user: String?
        /// A folder in the container, or nothing for the one that `folder` is there.
        package var workdir: String?
        /// The notebook's folder on the host.
        package var folder: String
        package var env: [String: String]
        /// As it was written: a list as JSON or as Python writes it, or shell words. Nothing for ipykernel.
        package var command: String?
        /// What Jupyter appended; the kernel gets it.
        package var trailing: [String]
        /// The ports inside of the container, by channel.
        package var ports: [String: UInt16]
        package var transport: GateRequest.Launch.Transport
        package var route: Route
        package var interrupt: Interrupt
        /// What becomes of a launch that fails, and of a kernel that dies.
        package var onFailure: Failure
        /// Where the ssh agent of whoever asks listens, for a kernel that is to have it.
        package var sshAgent: String?
        /// Whose paths a debugging front end is told, and may name.
        package var debugPaths: DebugPaths = .container
        /// How long a launch may take.
        package var timeoutMilliseconds: Int64
        /// The notebook, for people.
        package var session: String?
        /// Makes a container for the kernel; then `container` is empty.
        package var making: Making?
        /// Runs `command` on the host, with this environment; then `container` is empty.
        package var hostEnvironment: [String: String]?
        /// How long the kernel may be there.
        package var lifetimes: Lifetimes
        /// Nothing where all is said here.
        package var project: Project?

        package init(
            connectionFile: String, container: String = "", engine: [String] = ["docker"],
            engineEnvironment: [String: String] = [:], user: String? = nil, workdir: String? = nil,
            folder: String = "/", env: [String: String] = [:], command: String? = nil,
            trailing: [String] = [], ports: [String: UInt16] = StandardPorts.byChannel,
            transport: GateRequest.Launch.Transport = .ipc, route: Route = .auto,
            interrupt: Interrupt = .auto, onFailure: Failure = .kernel,
            timeoutMilliseconds: Int64 = usualTimeout, session: String? = nil,
            lifetimes: Lifetimes = .init(), making: Making? = nil, hostEnvironment: [String: String]? = nil,
            project: Project? = nil
        ) {
            self.connectionFile = connectionFile
            self.container = container
            self.engine = engine
            self.engineEnvironment = engineEnvironment
            self.user = user
            self.workdir = workdir
            self.folder = folder
            self.env = env
            self.command = command
            self.trailing = trailing
            self.ports = ports
            self.transport = transport
            self.route = route
            self.interrupt = interrupt
            self.onFailure = onFailure
            self.timeoutMilliseconds = timeoutMilliseconds
            self.session = session
            self.making = making
            self.hostEnvironment = hostEnvironment
            self.lifetimes = lifetimes
            self.project = project
        }
    }

    /// Jupyter's own tools give up after a minute, and should hear the reason before.
    package static let usualTimeout: Int64 = 50_000
    package static let timeouts: ClosedRange<Int64> = 1000...86_400_000

    /// What a shim keeps of its kernel, so that relayd may die and the kernel need not.
    package struct Keepsake: Sendable, Equatable {
        package var kernel: String
        /// The kernel's own key.
        package var key: String
        package var containerID: String
        /// What the kernel knows its relay by: answers that are due go to that name.
        package var relay: String
        /// What that container was called by, and who the kernel is in there, where a project's file may have said so: it may
        /// say something else by now.
        package var container: String?
        package var user: String?
        /// When the kernel began, by the host's ``BootClock``.
        package var started: Int64?
        /// Of a command on the host: the ports at which its kernel may be found, by channel, the best first.
        package var hostPorts: [[String: UInt16]]

        package init(
            kernel: String, key: String, containerID: String, relay: String, container: String? = nil,
            user: String? = nil, started: Int64? = nil, hostPorts: [[String: UInt16]] = []
        ) {
            self.kernel = kernel
            self.key = key
            self.containerID = containerID
            self.relay = relay
            self.hostPorts = hostPorts
            self.started = started
            self.container = container
            self.user = user
        }
    }
}

/// The ports that a container exposes when nothing else is said.
package enum StandardPorts {
    package static let byChannel: [String: UInt16] = [
        "control": 10000, "hb": 10001, "iopub": 10002, "shell": 10003, "stdin": 10004,
    ]
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
        case .stop(let request, let grace):
            return ["request": .whole(request), "graceMilliseconds": .whole(grace)]
        }
    }

    package init(type: String, body: JSON) throws(GateError) {
        let fields = try Fields(body, in: printable(type))
        func request() throws(GateError) -> Int64 { try fields.integer("request", in: 0...(1 << 53)) }
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
        case "stop":
            let grace = try fields.optionalInteger("graceMilliseconds", in: 0...600_000) ?? 2500
            self = .stop(request: try request(), graceMilliseconds: grace)
        default: throw GateError(.messageType, printable(type))
        }
    }
}

extension ControlRequest.Launch {
    fileprivate var body: [String: JSON] {
        var fields: [String: JSON] = [
            "connectionFile": .string(connectionFile),
            "engine": .array(engine.map { .string($0) }),
            "engineEnvironment": .object(engineEnvironment.mapValues { .string($0) }),
            "folder": .string(folder), "env": .object(env.mapValues { .string($0) }),
            "trailing": .array(trailing.map { .string($0) }),
            "ports": .object(ports.mapValues { .whole(Int64($0)) }),
            "transport": .string(transport.rawValue), "route": .string(route.rawValue),
            "interrupt": .string(interrupt.rawValue), "onFailure": .string(onFailure.rawValue),
            "timeoutMilliseconds": .whole(timeoutMilliseconds),
        ]
        fields["user"] = user.map { .string($0) }
        if debugPaths != .container { fields["debugPaths"] = .string(debugPaths.rawValue) }
        fields["workdir"] = workdir.map { .string($0) }
        fields["command"] = command.map { .string($0) }
        fields["session"] = session.map { .string($0) }
        fields["idleTimeoutMilliseconds"] = lifetimes.idle.map { .whole($0) }
        fields["maxLifetimeMilliseconds"] = lifetimes.most.map { .whole($0) }
        fields["project"] = project.map { .object($0.body) }
        fields["sshAgent"] = sshAgent.map { .string($0) }
        return fields.merging(placeBody) { $1 }
    }

    fileprivate init(_ fields: Fields) throws(GateError) {
        let place = try Place(fields)
        self.init(
            connectionFile: try fields.string("connectionFile"), container: place.container,
            engine: try fields.strings("engine"),
            engineEnvironment: try fields.variables("engineEnvironment"),
            user: try fields.optionalString("user"), workdir: try fields.optionalString("workdir"),
            folder: try fields.string("folder"), env: try fields.variables("env"),
            command: try fields.optionalString("command"), trailing: try fields.strings("trailing"),
            ports: try fields.ports("ports"), transport: try fields.choice("transport", .ipc),
            route: try fields.choice("route", .auto), interrupt: try fields.choice("interrupt", .auto),
            onFailure: try fields.choice("onFailure", .kernel),
            timeoutMilliseconds: try fields.optionalInteger(
                "timeoutMilliseconds", in: ControlRequest.timeouts) ?? ControlRequest.usualTimeout,
            session: try fields.optionalString("session"),
            lifetimes: Lifetimes(
                idle: try fields.optionalInteger("idleTimeoutMilliseconds", in: Lifetimes.range),
                most: try fields.optionalInteger("maxLifetimeMilliseconds", in: Lifetimes.range)),
            making: place.making, hostEnvironment: place.hostEnvironment,
            project: try fields["project"] == nil
                ? nil : Project(Fields(.object(fields.map("project")), in: "project")))
        sshAgent = try fields.optionalString("sshAgent")
        debugPaths = try fields.choice("debugPaths", .container)
        guard let client = engine.first, !client.isEmpty else {
            throw GateError(.message, "engine in kernel names no client")
        }
    }
}

extension ControlRequest.Keepsake {
    package var body: [String: JSON] {
        var fields: [String: JSON] = [
            "kernel": .string(kernel), "key": .string(key), "containerID": .string(containerID),
            "relay": .string(relay),
        ]
        if !hostPorts.isEmpty {
            fields["hostPorts"] = .array(hostPorts.map { .object($0.mapValues { .whole(Int64($0)) }) })
        }
        fields["startedMilliseconds"] = started.map { .whole($0) }
        fields["container"] = container.map { .string($0) }
        fields["user"] = user.map { .string($0) }
        return fields
    }

    package init(_ fields: Fields) throws(GateError) {
        kernel = try fields.string("kernel")
        key = try fields.string("key")
        containerID = try fields.string("containerID")
        relay = try fields.string("relay")
        hostPorts = []
        for (index, ports) in try fields.list("hostPorts").enumerated() {
            hostPorts.append(try Fields(.object(["\(index)": ports]), in: "hostPorts").ports("\(index)"))
        }
        started = try fields.optionalInteger("startedMilliseconds", in: 0...(1 << 53))
        container = try fields.optionalString("container")
        user = try fields.optionalString("user")
    }
}
