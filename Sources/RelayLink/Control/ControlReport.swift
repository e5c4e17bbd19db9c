/// What relayd answers. `protocol/control.md` is the contract.
package enum ControlReport: Sendable, Equatable {
    case failed(request: Int64?, code: String, message: String, remedy: String)
    /// The kernel runs, and its ports are bound.
    case launched(request: Int64, ControlRequest.Keepsake)
    case output(stream: GateReport.OutputStream, data: [UInt8])
    /// The kernel has ended, and the five ports belong to nobody.
    case exited(GateReport.Exit)
    case status(request: Int64, JSON)
    /// The text of a connection file.
    case connection(request: Int64, kernel: String, file: String)
    case done(request: Int64)
}

extension ControlReport: ControlMessage {
    package var type: String {
        switch self {
        case .failed: "failed"
        case .launched: "launched"
        case .output: "output"
        case .exited: "exited"
        case .status: "status"
        case .connection: "connection"
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
        case .launched(let request, let keepsake):
            return ["request": .whole(request), "keepsake": .object(keepsake.body)]
        case .output(let stream, let data):
            return ["stream": .string(stream.rawValue), "data": .string(Base64.encode(data))]
        case .exited(let exit): return exit.body
        case .status(let request, let status): return ["request": .whole(request), "status": status]
        case .connection(let request, let kernel, let file):
            return ["request": .whole(request), "kernel": .string(kernel), "file": .string(file)]
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
        case "launched":
            let keepsake = try Fields(.object(fields.map("keepsake")), in: "keepsake")
            self = .launched(request: try request(), try .init(keepsake))
        case "output":
            self = .output(stream: try fields.choice("stream", .stdout), data: try fields.bytes("data"))
        case "exited": self = .exited(try .init(fields))
        case "status": self = .status(request: try request(), fields["status"] ?? .null)
        case "connection":
            self = .connection(
                request: try request(), kernel: try fields.string("kernel"), file: try fields.string("file"))
        case "done": self = .done(request: try request())
        default: throw GateError(.messageType, printable(type))
        }
    }
}
