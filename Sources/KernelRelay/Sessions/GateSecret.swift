import RelayLink

/// What the tokens of one relayd's gates are made from: kept in its folder, so that the next relayd can find
/// the gates again, and never sent anywhere. A container learns the token of its own gate and no other.
package struct GateSecret: Sendable {
    private let key: SigningKey
    /// Where it is kept.
    package let folder: String

    /// Reads the secret of a folder, or makes one.
    package init(folder: String) throws(RelayError) {
        self.folder = folder
        let path = "\(folder)/secret"
        let bytes: [UInt8]
        do throws(RelayError) {
            bytes = try PrivateFile.read(path, limit: 4096)
        } catch {
            // Only when there is none: with another every gate that stands would be a stranger's.
            guard error.code == .connectionMissing else { throw .system("read \(path)") }
            bytes = []
        }
        if bytes.count >= 32 {
            key = SigningKey(String(decoding: bytes, as: UTF8.self))
        } else {
            key = SigningKey.random()
            try PrivateFile.write(key.bytes, to: path)
        }
    }

    /// The name of the gate of one user, which tells it from those of other relayds in the same container.
    package func name(user: String) throws(RelayError) -> String {
        "r-\(try digest("name/\(user)").prefix(16))"
    }

    /// The token of one gate. The parts cannot run into each other: a container's id has no slash.
    package func token(container: String, user: String) throws(RelayError) -> String {
        try digest("token/\(container)/\(user)")
    }

    private func digest(_ text: String) throws(RelayError) -> String {
        let signer = try Signer(scheme: .hmacSHA256, key: key)
        var hex = [UInt8](repeating: 0, count: signer.length)
        let bytes = Array(text.utf8)
        signer.begin()
        signer.update(bytes, bytes.count)
        guard signer.finish(into: &hex) else { throw .system("HMAC") }
        return String(decoding: hex, as: UTF8.self)
    }
}
