import RelayLink

/// What a kernel is told: where to listen, and with which key to sign.
struct ConnectionFile {
    let channels: [String: SocketName]
    let json: [UInt8]

    private static let names = ["shell", "iopub", "stdin", "control", "hb"]

    init(_ launch: GateRequest.Launch, in folder: PrivateFolder) throws(GateError) {
        var fields: [String: JSON] = [
            "transport": .string(launch.transport.rawValue), "key": .string(launch.key),
            "signature_scheme": .string(launch.signatureScheme), "kernel_name": .string(launch.kernelName),
        ]
        var channels: [String: SocketName] = [:]
        switch (launch.transport, launch.listen) {
        case (.tcp, let listen?):
            fields["ip"] = .string(listen.ip)
            for (name, port) in listen.ports {
                fields["\(name)_port"] = .whole(Int64(port))
                channels[name] = SocketName(ip: "127.0.0.1", port: port)
            }
        case (.ipc, _):
            let prefix = "\(folder.path)/k"
            fields["ip"] = .string(prefix)
            for (index, name) in Self.names.enumerated() {
                fields["\(name)_port"] = .whole(Int64(index + 1))
                channels[name] = SocketName(path: "\(prefix)-\(index + 1)")
            }
        case (.tcp, nil):
            fields["ip"] = "127.0.0.1"
            let ports = Sockets.freeLoopbackPorts(Self.names.count)
            for (name, port) in zip(Self.names, ports) {
                fields["\(name)_port"] = .whole(Int64(port))
                channels[name] = SocketName(ip: "127.0.0.1", port: port)
            }
            guard channels.count == Self.names.count else {
                throw GateError(.resources, "five free ports on 127.0.0.1")
            }
        }
        self.channels = channels
        json = JSON.object(fields).encoded
    }
}
