/// An address and a port for each channel, for a kernel's connection file.
extension GateRequest.Launch {
    package struct Listen: Sendable, Equatable {
        package var ip: String
        package var ports: [String: UInt16]

        package init(ip: String, ports: [String: UInt16]) {
            self.ip = ip
            self.ports = ports
        }

        var json: JSON { ["ip": .string(ip), "ports": .object(ports.mapValues { .whole(Int64($0)) })] }

        init(_ json: JSON) throws(GateError) {
            let fields = try Fields(json, in: "listen")
            ip = try fields.string("ip")
            ports = try fields.ports("ports")
            guard Set(ports.keys) == GateRequest.Hello.channels, !ports.values.contains(0) else {
                throw GateError(.message, "ports in listen are not five from 1 to 65535")
            }
        }
    }
}
