import CCrypto

/// One HMAC context, keyed once and used again for every message.
///
/// Confined to the thread that made it. `begin`, any number of `update`, `finish`.
package struct Signer: ~Copyable {
    /// Nothing for an empty key: such a side does not sign.
    private let context: OpaquePointer?
    private let digestLength: Int

    /// The largest signature in characters: two for each byte of a 512-bit digest.
    package static let longest = 128

    /// Whether there is a key. Without one the other calls do nothing.
    @inline(__always)
    package var signs: Bool { context != nil }

    /// Characters of a signature; none without a key.
    package var length: Int { digestLength * 2 }

    /// A side that does not sign.
    package init() {
        context = nil
        digestLength = 0
    }

    package init(scheme: SignatureScheme, key: SigningKey) throws(RelayError) {
        if key.isEmpty {
            context = nil
            digestLength = 0
            return
        }
        guard let algorithm = EVP_MAC_fetch(nil, "HMAC", nil) else { throw Self.refused(scheme) }
        // The context takes a reference of its own.
        defer { EVP_MAC_free(algorithm) }
        guard let context = EVP_MAC_CTX_new(algorithm) else { throw Self.refused(scheme) }
        var digest = scheme.digest.utf8CString.map(\.self)
        let keyed = digest.withUnsafeMutableBufferPointer { name in
            var parameters = [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            return EVP_MAC_init(context, key.bytes, key.bytes.count, &parameters)
        }
        let size = EVP_MAC_CTX_get_mac_size(context)
        guard keyed == 1, size > 0, size * 2 <= Self.longest else {
            EVP_MAC_CTX_free(context)
            throw Self.refused(scheme)
        }
        self.context = context
        self.digestLength = size
    }

    private static func refused(_ scheme: SignatureScheme) -> RelayError {
        RelayError(.connectionScheme, scheme.name, cause: "libcrypto does not offer this hash here")
    }

    /// Starts a message. Without a key in the call libcrypto goes back to the state that the key made.
    @inline(__always)
    package func begin() {
        if let context { EVP_MAC_init(context, nil, 0, nil) }
    }

    @inline(__always)
    package func update(_ bytes: UnsafeRawPointer, _ count: Int) {
        if let context { EVP_MAC_update(context, bytes.assumingMemoryBound(to: UInt8.self), count) }
    }

    /// Writes the signature, ``length`` characters of lower-case hexadecimal. False when libcrypto failed,
    /// and what was written means nothing.
    @inline(__always)
    package func finish(into hex: UnsafeMutablePointer<UInt8>) -> Bool {
        guard let context else { return true }
        var written = 0
        // The digest goes to the upper half and is spread from its first byte on, so that no second buffer
        // is needed: the characters 2n and 2n+1 are written after byte n was read and before its place.
        let raw = hex + digestLength
        guard EVP_MAC_final(context, raw, &written, digestLength) == 1 else { return false }
        for index in 0..<digestLength {
            let byte = raw[index]
            hex[index * 2] = Hex.digit(byte >> 4)
            hex[index * 2 + 1] = Hex.digit(byte & 15)
        }
        return true
    }

    deinit { EVP_MAC_CTX_free(context) }
}

/// Compares in a time that tells nothing about where two signatures differ.
@inline(__always)
package func equalInConstantTime(_ one: UnsafeRawPointer, _ other: UnsafeRawPointer, _ count: Int) -> Bool {
    CRYPTO_memcmp(one, other, count) == 0
}
