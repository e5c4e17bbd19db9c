import Glibc
import Host
import RelayLink

/// Held by the one shim that starts relayd; it goes with its holder, however that ends.
struct StartLock: ~Copyable {
    private let descriptor: Int32

    init(_ path: String) throws(HostError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0 { throw .system("open \(printable(path))") }
    }

    func tryTaking() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    deinit { close(descriptor) }
}
