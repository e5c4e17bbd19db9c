/// What a gate says to relayd. `protocol/gate.md` is the contract.
package enum GateReport: Sendable, Equatable {
    case welcome(Welcome)
    case failed(request: Int64?, code: String, message: String, remedy: String)
    case spawned(request: Int64, kernel: String, pid: Int32, connectionFile: String)
    case output(kernel: String, stream: OutputStream, data: [UInt8])
    case exited(kernel: String, Exit)
    case done(request: Int64)
    case pong(request: Int64)
    case status(request: Int64, Status)
    case vitals(request: Int64, GateVitals)
    /// The container ends in so many milliseconds, or now.
    case ending(LifetimeLimit, milliseconds: Int64)

    package enum OutputStream: String, Sendable {
        case stdout, stderr
    }

    /// The answer to hello.
    package struct Welcome: Sendable, Equatable {
        package var pid: Int32
        package var release: String
        package var uid: UInt32
        package var gid: UInt32
        /// The uid's name, where /etc/passwd has one.
        package var user: String?
        package var home: String?
        package var cwd: String?
        /// What is bound, by channel: what the first hello asked for.
        package var ports: [String: UInt16]
        package var kernels: [Kernel]
        package var streams: StreamOffer

        package init(
            pid: Int32, release: String = ControlProtocol.release, uid: UInt32, gid: UInt32,
            user: String? = nil, home: String? = nil, cwd: String? = nil, ports: [String: UInt16] = [:],
            kernels: [Kernel] = [], streams: StreamOffer = .none
        ) {
            self.pid = pid
            self.release = release
            self.uid = uid
            self.gid = gid
            self.user = user
            self.home = home
            self.cwd = cwd
            self.ports = ports
            self.kernels = kernels
            self.streams = streams
        }
    }

    /// A kernel that the gate knows. Those that have ended are told of once more by exited.
    package struct Kernel: Sendable, Equatable {
        package enum State: String, Sendable {
            case running, ending, ended
        }

        package var kernel: String
        package var pid: Int32
        package var state: State
        package var transport: GateRequest.Launch.Transport
        package var connectionFile: String
        /// Connections that are joined to it now.
        package var connections: Int64

        package init(
            kernel: String, pid: Int32, state: State, transport: GateRequest.Launch.Transport,
            connectionFile: String, connections: Int64 = 0
        ) {
            self.kernel = kernel
            self.pid = pid
            self.state = state
            self.transport = transport
            self.connectionFile = connectionFile
            self.connections = connections
        }
    }

    /// How a kernel ended.
    package struct Exit: Sendable, Equatable {
        package enum Cause: Sendable, Equatable {
            case code(Int32)
            case signal(Int32, coreDumped: Bool)
        }

        package var cause: Cause
        /// The container's memory limit killed it, as far as the cgroup tells.
        package var oomKilled: Bool
        /// Processes of its tree that still live; nothing where /proc cannot be read.
        package var left: Int64?
        /// The last of stdout and stderr, as they came.
        package var tail: [UInt8]

        package init(cause: Cause, oomKilled: Bool = false, left: Int64? = 0, tail: [UInt8] = []) {
            self.cause = cause
            self.oomKilled = oomKilled
            self.left = left
            self.tail = tail
        }
    }

    /// The gate's figures.
    package struct Status: Sendable, Equatable {
        package var uptimeMilliseconds: Int64
        package var kernels: [Kernel]
        /// By name: accepted, joined, toKernel, toClient, and one for each reason of refusal.
        package var counters: [String: Int64]

        package init(uptimeMilliseconds: Int64, kernels: [Kernel], counters: [String: Int64]) {
            self.uptimeMilliseconds = uptimeMilliseconds
            self.kernels = kernels
            self.counters = counters
        }
    }

    /// A failure as it goes over the link.
    package static func failed(_ error: GateError, request: Int64? = nil) -> GateReport {
        .failed(
            request: request, code: error.code.rawValue, message: error.message, remedy: error.remedy)
    }
}

extension GateReport: ControlMessage {
    package var type: String {
        switch self {
        case .welcome: "welcome"
        case .failed: "failed"
        case .spawned: "spawned"
        case .output: "output"
        case .exited: "exited"
        case .done: "done"
        case .pong: "pong"
        case .status: "status"
        case .vitals: "vitals"
        case .ending: "ending"
        }
    }

    package var body: [String: JSON] {
        switch self {
        case .welcome(let welcome): return welcome.body
        case .failed(let request, let code, let message, let remedy):
            var fields: [String: JSON] = [
                "code": .string(code), "message": .string(message), "remedy": .string(remedy),
            ]
            fields["request"] = request.map { .whole($0) }
            return fields
        case .spawned(let request, let kernel, let pid, let file):
            return [
                "request": .whole(request), "kernel": .string(kernel), "pid": .whole(Int64(pid)),
                "connectionFile": .string(file),
            ]
        case .output(let kernel, let stream, let data):
            return [
                "kernel": .string(kernel), "stream": .string(stream.rawValue),
                "data": .string(Base64.encode(data)),
            ]
        case .exited(let kernel, let exit):
            var fields = exit.body
            fields["kernel"] = .string(kernel)
            return fields
        case .done(let request), .pong(let request): return ["request": .whole(request)]
        case .status(let request, let status):
            return [
                "request": .whole(request), "uptimeMilliseconds": .whole(status.uptimeMilliseconds),
                "kernels": .array(status.kernels.map { .object($0.body) }),
                "counters": .object(status.counters.mapValues { .whole($0) }),
            ]
        case .vitals(let request, let vitals):
            var fields = vitals.body
            fields["request"] = .whole(request)
            return fields
        case .ending(let limit, let milliseconds):
            return ["limit": .string(limit.rawValue), "milliseconds": .whole(milliseconds)]
        }
    }

    package init(type: String, body: JSON) throws(GateError) {
        let fields = try Fields(body, in: printable(type))
        func request() throws(GateError) -> Int64 { try fields.integer("request", in: 0...(1 << 53)) }
        switch type {
        case "welcome": self = .welcome(try Welcome(fields))
        case "failed":
            self = .failed(
                request: try fields.optionalInteger("request", in: 0...(1 << 53)),
                code: try fields.string("code"), message: try fields.string("message"),
                remedy: try fields.string("remedy"))
        case "spawned":
            self = .spawned(
                request: try request(), kernel: try fields.string("kernel"),
                pid: Int32(try fields.integer("pid", in: 1...Int64(Int32.max))),
                connectionFile: try fields.string("connectionFile"))
        case "output":
            self = .output(
                kernel: try fields.string("kernel"), stream: try fields.choice("stream", .stdout),
                data: try fields.bytes("data"))
        case "exited": self = .exited(kernel: try fields.string("kernel"), try Exit(fields))
        case "done": self = .done(request: try request())
        case "pong": self = .pong(request: try request())
        case "status": self = .status(request: try request(), try Status(fields))
        case "vitals": self = .vitals(request: try request(), try GateVitals(fields))
        case "ending":
            self = .ending(
                try fields.choice("limit", .lifetime),
                milliseconds: try fields.integer("milliseconds", in: 0...(1 << 53)))
        default: throw GateError(.messageType, printable(type))
        }
    }
}

extension GateReport.Welcome {
    fileprivate var body: [String: JSON] {
        var fields: [String: JSON] = [
            "protocol": .whole(ControlProtocol.version), "pid": .whole(Int64(pid)),
            "release": .string(release), "uid": .whole(Int64(uid)), "gid": .whole(Int64(gid)),
            "ports": .object(ports.mapValues { .whole(Int64($0)) }),
            "kernels": .array(kernels.map { .object($0.body) }),
        ]
        fields["user"] = user.map { .string($0) }
        fields["home"] = home.map { .string($0) }
        fields["cwd"] = cwd.map { .string($0) }
        streams.write(to: &fields)
        return fields
    }

    fileprivate init(_ fields: Fields) throws(GateError) {
        _ = try fields.integer("protocol", in: ControlProtocol.version...ControlProtocol.version)
        pid = Int32(try fields.integer("pid", in: 1...Int64(Int32.max)))
        release = try fields.string("release")
        uid = UInt32(try fields.integer("uid", in: 0...Int64(UInt32.max)))
        gid = UInt32(try fields.integer("gid", in: 0...Int64(UInt32.max)))
        user = try fields.optionalString("user")
        home = try fields.optionalString("home")
        cwd = try fields.optionalString("cwd")
        ports = try fields.ports("ports")
        kernels = []
        for kernel in try fields.list("kernels") { kernels.append(try .init(kernel)) }
        streams = try StreamOffer(fields)
    }
}

extension GateReport.Kernel {
    fileprivate var body: [String: JSON] {
        [
            "kernel": .string(kernel), "pid": .whole(Int64(pid)), "state": .string(state.rawValue),
            "transport": .string(transport.rawValue), "connectionFile": .string(connectionFile),
            "connections": .whole(connections),
        ]
    }

    fileprivate init(_ json: JSON) throws(GateError) {
        let fields = try Fields(json, in: "kernels")
        kernel = try fields.string("kernel")
        pid = Int32(try fields.integer("pid", in: 1...Int64(Int32.max)))
        state = try fields.choice("state", .running)
        transport = try fields.choice("transport", .ipc)
        connectionFile = try fields.string("connectionFile")
        connections = try fields.optionalInteger("connections", in: 0...Int64.max) ?? 0
    }
}

extension GateReport.Exit {
    package var body: [String: JSON] {
        var fields: [String: JSON] = [
            "oomKilled": .bool(oomKilled), "left": left.map { .whole($0) } ?? .null,
            "tail": .string(Base64.encode(tail)),
        ]
        switch cause {
        case .code(let code): fields["code"] = .whole(Int64(code))
        case .signal(let number, let coreDumped):
            fields["signal"] = .whole(Int64(number))
            fields["coreDumped"] = .bool(coreDumped)
        }
        return fields
    }

    package init(_ fields: Fields) throws(GateError) {
        if let code = try fields.optionalInteger("code", in: 0...255) {
            cause = .code(Int32(code))
        } else {
            cause = .signal(
                Int32(try fields.integer("signal", in: 1...64)), coreDumped: try fields.flag("coreDumped"))
        }
        oomKilled = try fields.flag("oomKilled")
        left = try fields.optionalInteger("left", in: 0...Int64.max)
        tail = try fields.bytes("tail")
    }
}

extension GateReport.Status {
    fileprivate init(_ fields: Fields) throws(GateError) {
        uptimeMilliseconds = try fields.integer("uptimeMilliseconds", in: 0...Int64.max)
        kernels = []
        for kernel in try fields.list("kernels") { kernels.append(try .init(kernel)) }
        counters = [:]
        for (name, value) in try fields.map("counters") { counters[name] = value.integer ?? 0 }
    }
}
