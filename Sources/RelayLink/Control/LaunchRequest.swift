extension ControlRequest {
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
}

/// The ports that a container exposes when nothing else is said.
package enum StandardPorts {
    package static let byChannel: [String: UInt16] = [
        "control": 10000, "hb": 10001, "iopub": 10002, "shell": 10003, "stdin": 10004,
    ]
}

extension ControlRequest.Launch {
    var body: [String: JSON] {
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

    init(_ fields: Fields) throws(GateError) {
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
