import CLinux
import Glibc

/// One of the shim's own two outputs, and what it has not taken yet.
///
/// It may be a full pipe, a closed one, or nothing at all, and the kernel must not come to harm by it. It is
/// shared with Jupyter, so that O_NONBLOCK cannot be set: that would change Jupyter's end of it as well.
/// Instead a write comes only after poll has promised room, and is no larger than that room surely is.
final class Outlet {
    private let descriptor: Int32
    private var owed: [UInt8] = []
    private var start = 0
    private var isClosed = false

    /// Beyond this nothing more is taken from relayd, which then leaves the kernel's pipe full.
    static let limit = 128 * 1024

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    var backlog: Int { owed.count - start }

    var waits: pollfd? {
        backlog > 0 ? pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0) : nil
    }

    func put(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        if start > 0 {
            owed.removeFirst(start)
            start = 0
        }
        owed += bytes
        drain()
    }

    /// Writes as long as there is room.
    func drain() {
        while backlog > 0 {
            var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&wait, 1, 0) > 0 else { return }
            // POLLOUT of a pipe means room for PIPE_BUF bytes, which is 4096.
            let count = owed.withUnsafeBytes {
                write(descriptor, $0.baseAddress! + start, min(backlog, 4096))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                isClosed = true
                break
            }
            start += count
        }
        owed = []
        start = 0
    }
}
