import Glibc

extension RelayError {
    /// A system call failed in a way that no other code describes.
    package static func system(_ call: String, _ number: Int32 = errno) -> RelayError {
        let code: ErrorCode = number == EMFILE || number == ENFILE ? .descriptors : .system
        return RelayError(code, call, cause: errorText(number))
    }
}

/// The C library's text for an error number.
package func errorText(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}
