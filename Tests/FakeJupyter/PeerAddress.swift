import Glibc

/// The five conversations. The kit has its own type: it must not lean on the code that it witnesses.
package enum PeerChannel: String, CaseIterable, Sendable {
    case shell, iopub, stdin, control, hb
}

/// Where a kernel listens and how its messages are signed: what a Jupyter connection file says.
package struct PeerAddress: Sendable {
    package enum Transport: String, Sendable {
        case tcp, ipc
    }

    /// Keys of the CURVE server, as Z85 text.
    package struct Curve: Sendable {
        package var publicKey: String
        package var secretKey: String
    }

    /// PLAIN credentials: the user on each channel is `<userPrefix>/<channel>`.
    package struct Plain: Sendable {
        package var userPrefix: String
        package var password: String

        package init(userPrefix: String, password: String) {
            self.userPrefix = userPrefix
            self.password = password
        }

        package func user(on channel: PeerChannel) -> String { "\(userPrefix)/\(channel.rawValue)" }
    }

    package var transport: Transport = .tcp
    package var ip: String
    package var ports: [PeerChannel: UInt16]
    package var key: String
    package var scheme = "hmac-sha256"
    package var curve: Curve?
    package var plain: Plain?

    package init(ip: String, ports: [PeerChannel: UInt16], key: String) {
        self.ip = ip
        self.ports = ports
        self.key = key
    }

    /// Five free ports on 127.0.0.1.
    package static func loopback(key: String) throws -> PeerAddress {
        let ports = try PortBook.take(PeerChannel.allCases.count)
        return PeerAddress(
            ip: "127.0.0.1", ports: Dictionary(uniqueKeysWithValues: zip(PeerChannel.allCases, ports)),
            key: key)
    }

    /// Five Unix sockets `<prefix>-1` to `<prefix>-5`.
    package static func ipc(prefix: String, key: String) -> PeerAddress {
        var address = PeerAddress(
            ip: prefix, ports: Dictionary(uniqueKeysWithValues: zip(PeerChannel.allCases, 1...5)), key: key)
        address.transport = .ipc
        return address
    }

    /// The same place under another key, credentials included.
    package func with(key: String) -> PeerAddress {
        var copy = self
        copy.key = key
        return copy
    }

    package func endpoint(_ channel: PeerChannel) -> String {
        let port = ports[channel] ?? 0
        return transport == .tcp ? "tcp://\(ip):\(port)" : "ipc://\(ip)-\(port)"
    }

    /// A channel's TCP port on 127.0.0.1, in the system's words.
    func lent(_ channel: PeerChannel, to use: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = (ports[channel] ?? 0).bigEndian
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The digest's name as libcrypto knows it.
    package var digest: String {
        let name = scheme.hasPrefix("hmac-") ? String(scheme.dropFirst(5)) : scheme
        switch name {
        case "blake2b": return "BLAKE2B-512"
        case "blake2s": return "BLAKE2S-256"
        default: return String(name.uppercased().map { $0 == "_" ? "-" : $0 })
        }
    }

    package func connectionFileJSON() -> String {
        var fields = PeerChannel.allCases.map { "\"\($0.rawValue)_port\": \(ports[$0] ?? 0)" }
        fields.append("\"transport\": \(JSONText.quoted(transport.rawValue))")
        fields.append("\"ip\": \(JSONText.quoted(ip))")
        fields.append("\"key\": \(JSONText.quoted(key))")
        fields.append("\"signature_scheme\": \(JSONText.quoted(scheme))")
        fields.append("\"kernel_name\": \"fake\"")
        if let curve {
            fields.append("\"curve_publickey\": \(JSONText.quoted(curve.publicKey))")
            fields.append("\"curve_secretkey\": \(JSONText.quoted(curve.secretKey))")
        }
        return "{\n  " + fields.joined(separator: ",\n  ") + "\n}\n"
    }

    /// Writes the connection file, readable by its owner alone, as Jupyter does.
    package func write(to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw PeerError("cannot create \(path)", code: errno) }
        defer { close(descriptor) }
        let bytes = Array(connectionFileJSON().utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw PeerError("cannot write \(path)", code: errno)
        }
    }
}
