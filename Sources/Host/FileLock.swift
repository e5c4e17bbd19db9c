import Glibc
import RelayLink

/// A lock that one process of many may hold, and that ends with it, however it ends.
package final class FileLock: Sendable {
    private let descriptor: Int32

    /// The lock, or nothing when another process holds it.
    package init?(trying path: String) throws(HostError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("open \(printable(path))") }
        // Never unlinked: a lock on a file that has lost its name guards nothing.
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 { return nil }
    }

    deinit { close(descriptor) }
}
