/// What relayd asks of a gate. `protocol/gate.md` is the contract.
package enum GateRequest: Sendable, Equatable {
    case hello(Hello)
    case spawn(request: Int64, Launch)
    case signal(request: Int64, kernel: String, number: Int32, to: SignalTarget)
    case end(request: Int64, kernel: String, graceMilliseconds: Int64)
    case ping(request: Int64)
    case status(request: Int64)
    /// How the kernels' processes are; asked for often, and so with nothing in it that does not change.
    ///
    /// - idleMilliseconds: how long none of them has been used, which the asker knows.
    case vitals(request: Int64, idleMilliseconds: Int64? = nil)
    case leave(request: Int64)
    case stop(request: Int64, graceMilliseconds: Int64)

    package enum SignalTarget: String, Sendable {
        /// The kernel and all that it started in its process group: what Ctrl-C does in a terminal.
        case group
        case process
    }

    /// The first message on every link.
    package struct Hello: Sendable, Equatable {
        package var token: String
        /// The channels' ports; any subset, or none when only the link is used. Several may be the same.
        package var ports: [String: UInt16]
        package var bind: String
        /// How long a gate without a link and without kernels waits to be joined.
        package var lingerSeconds: Int64
        /// How long kernels may run whose gate nobody has a link to.
        package var orphanSeconds: Int64
        package var streams: StreamOffer

        package init(
            token: String, ports: [String: UInt16] = [:], bind: String = "0.0.0.0",
            lingerSeconds: Int64 = 60, orphanSeconds: Int64 = 600, streams: StreamOffer = .none
        ) {
            self.token = token
            self.ports = ports
            self.bind = bind
            self.lingerSeconds = lingerSeconds
            self.orphanSeconds = orphanSeconds
            self.streams = streams
        }
    }

    /// A kernel to start.
    package struct Launch: Sendable, Equatable {
        package enum Transport: String, Sendable {
            case ipc, tcp
        }

        package var kernel: String
        /// `{connection_file}` in any element becomes the path.
        package var argv: [String]
        /// Added to the exec's own environment; nothing as a value takes a name away.
        package var env: [String: String?]
        package var cwd: String?
        /// HOME, USER, LOGNAME and SHELL are to be as a login of the gate's user sets them; the name is for one whom the
        /// container does not know, and may be empty. Nothing: they are the exec's own.
        package var login: String?
        package var transport: Transport
        /// Where the kernel is told to listen, instead of what the gate would choose; with `tcp` only.
        package var listen: Listen?
        package var key: String
        package var signatureScheme: String
        package var kernelName: String
        /// Whether it gets a socket that leads to the ssh agent on relayd's host.
        package var agent: Bool
        /// How many kernels may run in the container, this one included; nothing for any number.
        package var mostKernels: Int64?

        package init(
            kernel: String, argv: [String], env: [String: String?] = [:], cwd: String? = nil,
            login: String? = nil, transport: Transport = .ipc, listen: Listen? = nil, key: String,
            signatureScheme: String = "hmac-sha256", kernelName: String = "", agent: Bool = false,
            mostKernels: Int64? = nil
        ) {
            self.kernel = kernel
            self.argv = argv
            self.env = env
            self.cwd = cwd
            self.login = login
            self.transport = transport
            self.listen = listen
            self.key = key
            self.signatureScheme = signatureScheme
            self.kernelName = kernelName
            self.agent = agent
            self.mostKernels = mostKernels
        }
    }
}

extension GateRequest: ControlMessage {
    package var type: String {
        switch self {
        case .hello: "hello"
        case .spawn: "spawn"
        case .signal: "signal"
        case .end: "end"
        case .ping: "ping"
        case .status: "status"
        case .vitals: "vitals"
        case .leave: "leave"
        case .stop: "stop"
        }
    }

    /// The number that the answer repeats.
    package var request: Int64? {
        switch self {
        case .hello: nil
        case .spawn(let request, _), .signal(let request, _, _, _), .end(let request, _, _),
            .ping(let request), .status(let request), .vitals(let request, _), .leave(let request),
            .stop(let request, _):
            request
        }
    }

    package var body: [String: JSON] {
        var fields: [String: JSON] = [:]
        if let request { fields["request"] = .whole(request) }
        switch self {
        case .hello(let hello):
            fields["token"] = .string(hello.token)
            fields["ports"] = .object(hello.ports.mapValues { .whole(Int64($0)) })
            fields["bind"] = .string(hello.bind)
            fields["lingerSeconds"] = .whole(hello.lingerSeconds)
            fields["orphanSeconds"] = .whole(hello.orphanSeconds)
            hello.streams.write(to: &fields)
        case .spawn(_, let launch):
            fields["kernel"] = .string(launch.kernel)
            fields["argv"] = .array(launch.argv.map { .string($0) })
            fields["env"] = .object(launch.env.mapValues { $0.map { .string($0) } ?? .null })
            fields["cwd"] = launch.cwd.map { .string($0) }
            fields["login"] = launch.login.map { .string($0) }
            fields["transport"] = .string(launch.transport.rawValue)
            fields["listen"] = launch.listen.map(\.json)
            fields["key"] = .string(launch.key)
            fields["signatureScheme"] = .string(launch.signatureScheme)
            fields["kernelName"] = .string(launch.kernelName)
            if launch.agent { fields["agent"] = true }
            fields["mostKernels"] = launch.mostKernels.map { .whole($0) }
        case .signal(_, let kernel, let number, let target):
            fields["kernel"] = .string(kernel)
            fields["signal"] = .whole(Int64(number))
            fields["to"] = .string(target.rawValue)
        case .end(_, let kernel, let grace):
            fields["kernel"] = .string(kernel)
            fields["graceMilliseconds"] = .whole(grace)
        case .stop(_, let grace): fields["graceMilliseconds"] = .whole(grace)
        case .vitals(_, let idle): fields["idleMilliseconds"] = idle.map { .whole($0) }
        case .ping, .status, .leave: break
        }
        return fields
    }

    package init(type: String, body: JSON) throws(GateError) {
        let fields = try Fields(body, in: printable(type))
        func request() throws(GateError) -> Int64 {
            try fields.integer("request", in: 0...(1 << 53))
        }
        func grace(_ usual: Int64) throws(GateError) -> Int64 {
            try fields.optionalInteger("graceMilliseconds", in: 0...600_000) ?? usual
        }
        switch type {
        case "hello": self = .hello(try Hello(fields))
        case "spawn": self = .spawn(request: try request(), try Launch(fields))
        case "signal":
            self = .signal(
                request: try request(), kernel: try fields.string("kernel"),
                number: try SignalName.number(fields["signal"]), to: try fields.choice("to", .group))
        case "end":
            self = .end(
                request: try request(), kernel: try fields.string("kernel"),
                graceMilliseconds: try grace(2500))
        case "ping": self = .ping(request: try request())
        case "status": self = .status(request: try request())
        case "vitals":
            let idle = try fields.optionalInteger("idleMilliseconds", in: 0...(1 << 53))
            self = .vitals(request: try request(), idleMilliseconds: idle)
        case "leave": self = .leave(request: try request())
        case "stop": self = .stop(request: try request(), graceMilliseconds: try grace(2500))
        default: throw GateError(.messageType, printable(type))
        }
    }
}

extension GateRequest.Hello {
    /// Any port serves any channel; the names say which of them the container publishes for what.
    package static let channels: Set<String> = ["control", "hb", "iopub", "shell", "stdin"]

    fileprivate init(_ fields: Fields) throws(GateError) {
        token = try fields.string("token")
        let isPlain = token.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard (32...255).contains(token.utf8.count), isPlain else { throw GateError(.tokenWeak) }
        ports = [:]
        for (channel, port) in try fields.map("ports") {
            guard Self.channels.contains(channel) else {
                throw GateError(.message, "ports in hello names \(printable(channel))")
            }
            guard let number = port.integer, (1...65535).contains(number) else {
                throw GateError(.message, "the port of \(channel) is not from 1 to 65535")
            }
            ports[channel] = UInt16(number)
        }
        bind = try fields.optionalString("bind") ?? "0.0.0.0"
        lingerSeconds = try fields.optionalInteger("lingerSeconds", in: 0...86400) ?? 60
        orphanSeconds = try fields.optionalInteger("orphanSeconds", in: 1...86400) ?? 600
        streams = try StreamOffer(fields)
    }
}

extension GateRequest.Launch {
    fileprivate init(_ fields: Fields) throws(GateError) {
        kernel = try fields.string("kernel")
        let isPlain = kernel.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard (1...64).contains(kernel.utf8.count), isPlain else {
            throw GateError(.kernelName, printable(kernel))
        }
        argv = try fields.strings("argv")
        guard let command = argv.first, !command.isEmpty else {
            throw GateError(.message, "argv in spawn names no command")
        }
        env = [:]
        for (name, value) in try fields.map("env") {
            // The names may be shown, the values may not.
            guard !name.isEmpty, !name.utf8.contains(0), !name.utf8.contains(UInt8(ascii: "=")) else {
                throw GateError(.message, "env in spawn has an impossible name")
            }
            if value == .null {
                env.updateValue(nil, forKey: name)
            } else if let text = value.text, !text.utf8.contains(0) {
                env.updateValue(text, forKey: name)
            } else {
                throw GateError(.message, "\(printable(name)) of env in spawn is not a string without NUL")
            }
        }
        cwd = try fields.optionalString("cwd")
        login = try fields.optionalString("login")
        transport = try fields.choice("transport", .ipc)
        listen = try fields["listen"].map { (json) throws(GateError) in try Listen(json) }
        if listen != nil, transport != .tcp { throw GateError(.message, "listen in spawn is for tcp") }
        key = try fields.string("key")
        signatureScheme = try fields.optionalString("signatureScheme") ?? "hmac-sha256"
        kernelName = try fields.optionalString("kernelName") ?? ""
        agent = try fields.flag("agent")
        mostKernels = try fields.optionalInteger("mostKernels", in: 1...1_000_000)
    }
}

/// Signals by name, as Linux numbers them on every processor that Swift runs on.
package enum SignalName {
    private static let numbers: [String: Int32] = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9,
        "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "CHLD": 17, "CONT": 18,
        "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "WINCH": 28,
    ]

    /// `SIGKILL` for 9; nothing for one that has no name here.
    package static func text(_ number: Int32) -> String? {
        numbers.first { $0.value == number }.map { "SIG\($0.key)" }
    }

    package static func number(_ json: JSON?) throws(GateError) -> Int32 {
        if let number = json?.integer, (1...64).contains(number) { return Int32(number) }
        if let text = json?.text {
            let name = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : text
            if let number = numbers[name] { return number }
            throw GateError(.signal, printable(text))
        }
        throw GateError(.signal, "signal is missing or out of range")
    }
}
