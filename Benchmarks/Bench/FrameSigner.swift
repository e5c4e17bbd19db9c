import CCrypto
import CZMQ
import Glibc

/// HMAC-SHA256 over frames as they lie in libzmq's messages, keyed once and started again from a copy.
final class FrameSigner {
    private let keyed: OpaquePointer
    private var running: OpaquePointer?
    private let code = UnsafeMutablePointer<UInt8>.allocate(capacity: 32)

    init(key: String) {
        let algorithm = EVP_MAC_fetch(nil, "HMAC", nil)
        guard let context = EVP_MAC_CTX_new(algorithm) else { preconditionFailure("libcrypto has no HMAC") }
        EVP_MAC_free(algorithm)
        keyed = context
        let bytes = Array(key.utf8)
        "SHA256".withCString { name in
            let digest = UnsafeMutablePointer(mutating: name)
            var parameters = [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                OSSL_PARAM_construct_end(),
            ]
            let ready = EVP_MAC_init(keyed, bytes, bytes.count, &parameters)
            precondition(ready == 1, "libcrypto has no SHA256")
        }
    }

    deinit {
        EVP_MAC_CTX_free(running)
        EVP_MAC_CTX_free(keyed)
        code.deallocate()
    }

    func begin() {
        EVP_MAC_CTX_free(running)
        running = EVP_MAC_CTX_dup(keyed)
    }

    func add(_ frame: UnsafeMutablePointer<zmq_msg_t>) {
        EVP_MAC_update(running, zmq_msg_data(frame)?.assumingMemoryBound(to: UInt8.self), zmq_msg_size(frame))
    }

    /// Whether the code is the one that `hex` spells.
    func matches(_ hex: UnsafePointer<UInt8>) -> Bool {
        var length = 0
        EVP_MAC_final(running, code, &length, 32)
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 48 : value + 87 }
        var different: UInt8 = 0
        for index in 0..<32 {
            different |= hex[2 * index] ^ digit(code[index] >> 4)
            different |= hex[2 * index + 1] ^ digit(code[index] & 15)
        }
        return different == 0
    }
}
