/// How messages are signed: `hmac-` and a hash by the name that Python's hashlib gives it.
public struct SignatureScheme: Sendable, Equatable, CustomStringConvertible {
    /// The name as the connection file spells it.
    public let name: String

    /// The name under which libcrypto knows the hash.
    package let digest: String

    /// What Jupyter uses when nobody says otherwise.
    public static let hmacSHA256 = SignatureScheme(name: "hmac-sha256", digest: "SHA256")

    /// Nothing for a scheme that Jupyter would refuse too, or whose hash has no fixed length (shake).
    public init?(_ name: String) {
        guard name.hasPrefix("hmac-"), let digest = Self.digests[String(name.dropFirst(5))] else {
            return nil
        }
        self.init(name: name, digest: digest)
    }

    private init(name: String, digest: String) {
        self.name = name
        self.digest = digest
    }

    public var description: String { name }

    private static let digests = [
        "md5": "MD5", "sha1": "SHA1", "sha224": "SHA224", "sha256": "SHA256", "sha384": "SHA384",
        "sha512": "SHA512", "sha3_224": "SHA3-224", "sha3_256": "SHA3-256", "sha3_384": "SHA3-384",
        "sha3_512": "SHA3-512", "blake2b": "BLAKE2B-512", "blake2s": "BLAKE2S-256",
    ]
}
