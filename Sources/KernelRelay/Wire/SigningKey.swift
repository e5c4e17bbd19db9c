import CCrypto

/// The key that signs the messages of one side. It shows its length and never itself.
public struct SigningKey: Sendable, Equatable {
    package let bytes: [UInt8]

    /// The key as a connection file spells it. An empty key means that messages are not signed.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// A new key of 256 random bits, in hexadecimal as Jupyter's own are.
    public static func random() -> SigningKey {
        var raw = [UInt8](repeating: 0, count: 32)
        precondition(RAND_bytes(&raw, Int32(raw.count)) == 1, "libcrypto has no randomness")
        return SigningKey(
            String(decoding: raw.flatMap { [Hex.digit($0 >> 4), Hex.digit($0 & 15)] }, as: UTF8.self))
    }

    /// Whether messages pass unsigned.
    public var isEmpty: Bool { bytes.isEmpty }

    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
    public var description: String { isEmpty ? "no key" : "a key of \(bytes.count) bytes" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Lower-case hexadecimal, the only spelling that a signature has.
package enum Hex {
    @inline(__always)
    package static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 48 + nibble : 87 + nibble }
}
