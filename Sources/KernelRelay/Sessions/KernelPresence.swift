import Glibc

/// Shows the gate of a kernel that somebody has the kernel, where the way to it does not lead by the gate: a lock on the
/// kernel's private folder, which the system takes away from a process that ends, however it does.
final class KernelPresence: Sendable {
    private let descriptor: Int32

    /// Nothing where the folder cannot be reached. The lock is shared: another relayd's may be there yet.
    init?(at place: KernelPlace, in container: Container) {
        guard container.pid > 0, let slash = place.connectionFile.lastIndex(of: "/") else { return nil }
        let folder = "/proc/\(container.pid)/root\(place.connectionFile[..<slash])"
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        _ = flock(descriptor, LOCK_SH | LOCK_NB)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
