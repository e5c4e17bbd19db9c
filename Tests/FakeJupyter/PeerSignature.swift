import CCrypto

/// HMAC by libcrypto's one-shot call: slow, plain, and sharing no code with the relay that it checks.
package enum PeerSignature {
    /// The hex digest over the parts one after another; empty for an empty key, which means unsigned.
    package static func hex(key: String, digest: String = "SHA256", parts: [[UInt8]]) -> [UInt8] {
        let key = Array(key.utf8)
        guard !key.isEmpty else { return [] }
        // Appended part by part, and below: `joined` and `flatMap` cost most of a debug test's time.
        var joined: [UInt8] = []
        for part in parts { joined.append(contentsOf: part) }
        var code = [UInt8](repeating: 0, count: 64)
        var length = 0
        let done = EVP_Q_mac(
            nil, "HMAC", nil, digest, nil, key, key.count, joined, joined.count, &code, code.count, &length)
        precondition(done != nil, "libcrypto knows no HMAC with \(digest)")
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * length)
        for byte in code[..<length] {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }
}
