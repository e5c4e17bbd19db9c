/// What a shim, or a person through `relayd`, asks of the running relayd. `protocol/control.md` is the contract.
package enum ControlRequest: Sendable, Equatable {
    /// Start a kernel; it is this connection's from now on.
    case launch(request: Int64, Launch)
    /// The kernel that an earlier relayd started is this connection's again.
    case resume(request: Int64, Launch, Keepsake)
    /// To the connection's kernel. Nothing answers: what it does shows in the kernel.
    case signal(number: Int32)
    case status(request: Int64)
    /// The connection file of a running kernel, for a second client; the only one where none is named.
    case connection(request: Int64, kernel: String?)
    /// End every kernel and every gate, then relayd itself.
    case stop(request: Int64, graceMilliseconds: Int64)

    /// A kernel as kernel.json asks for it.
    package struct Launch: Sendable, Equatable {
        package enum Route: String, Sendable, CaseIterable {
            case auto, published, bridge, line
        }
        package enum Interrupt: String, Sendable, CaseIterable {
            /// By message, and by signal when the kernel does not answer that.
            case auto
            case signal, message
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
        /// The notebook, for people.
        package var session: String?

        package init(
            connectionFile: String, container: String, engine: [String] = ["docker"],
            engineEnvironment: [String: String] = [:], user: String? = nil, workdir: String? = nil,
            folder: String = "/", env: [String: String] = [:], command: String? = nil,
            trailing: [String] = [], ports: [String: UInt16] = StandardPorts.byChannel,
            transport: GateRequest.Launch.Transport = .ipc, route: Route = .auto,
            interrupt: Interrupt = .auto, session: String? = nil
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
            self.session = session
        }
    }

    /// What a shim keeps of its kernel, so that relayd may die and the kernel need not.
    package struct Keepsake: Sendable, Equatable {
        package var kernel: String
        /// The kernel's own key.
        package var key: String
        package var containerID: String
        /// What the kernel knows its relay by: answers that are due go to that name.
        package var relay: String

        package init(kernel: String, key: String, containerID: String, relay: String) {
            self.kernel = kernel
            self.key = key
            self.containerID = containerID
            self.relay = relay
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
        case .connection: "connection"
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
        case .status(let request): return ["request": .whole(request)]
        case .connection(let request, let kernel):
            var fields: [String: JSON] = ["request": .whole(request)]
            fields["kernel"] = kernel.map { .string($0) }
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
        case "status": self = .status(request: try request())
        case "connection":
            self = .connection(request: try request(), kernel: try fields.optionalString("kernel"))
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
            "connectionFile": .string(connectionFile), "container": .string(container),
            "engine": .array(engine.map { .string($0) }),
            "engineEnvironment": .object(engineEnvironment.mapValues { .string($0) }),
            "folder": .string(folder), "env": .object(env.mapValues { .string($0) }),
            "trailing": .array(trailing.map { .string($0) }),
            "ports": .object(ports.mapValues { .whole(Int64($0)) }),
            "transport": .string(transport.rawValue), "route": .string(route.rawValue),
            "interrupt": .string(interrupt.rawValue),
        ]
        fields["user"] = user.map { .string($0) }
        fields["workdir"] = workdir.map { .string($0) }
        fields["command"] = command.map { .string($0) }
        fields["session"] = session.map { .string($0) }
        return fields
    }

    fileprivate init(_ fields: Fields) throws(GateError) {
        self.init(
            connectionFile: try fields.string("connectionFile"), container: try fields.string("container"),
            engine: try fields.strings("engine"),
            engineEnvironment: try fields.variables("engineEnvironment"),
            user: try fields.optionalString("user"), workdir: try fields.optionalString("workdir"),
            folder: try fields.string("folder"), env: try fields.variables("env"),
            command: try fields.optionalString("command"), trailing: try fields.strings("trailing"),
            ports: try fields.ports("ports"), transport: try fields.choice("transport", .ipc),
            route: try fields.choice("route", .auto), interrupt: try fields.choice("interrupt", .auto),
            session: try fields.optionalString("session"))
        guard let client = engine.first, !client.isEmpty else {
            throw GateError(.message, "engine in kernel names no client")
        }
    }
}

extension ControlRequest.Keepsake {
    package var body: [String: JSON] {
        [
            "kernel": .string(kernel), "key": .string(key), "containerID": .string(containerID),
            "relay": .string(relay),
        ]
    }

    package init(_ fields: Fields) throws(GateError) {
        kernel = try fields.string("kernel")
        key = try fields.string("key")
        containerID = try fields.string("containerID")
        relay = try fields.string("relay")
    }
}
