import Glibc
import RelayLink

/// The C library's text for an error number.
package func errorText(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}

extension GateError {
    /// A system call failed in a way that no other code describes.
    static func system(_ call: String, _ number: Int32 = errno) -> GateError {
        let scarce = [EMFILE, ENFILE, ENOMEM, EAGAIN, ENOSPC, ENOBUFS]
        return GateError(scarce.contains(number) ? .resources : .system, "\(call): \(errorText(number))")
    }
}
