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
    private var dropped = 0
    private var isInsideLine = false

    /// So much is held for a reader that is slow; beyond it the newest is dropped. relayd is read on whatever
    /// happens here: the kernel's end stands behind its output.
    static let limit = 1 << 20

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    private var backlog: Int { owed.count - start }

    var waits: pollfd? {
        backlog > 0 ? pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0) : nil
    }

    /// The kernel's own bytes.
    func put(_ bytes: [UInt8]) {
        // A gap is one gap, and has been told of before anything stands behind it.
        let room = dropped > 0 ? 0 : max(0, Self.limit - backlog)
        if !isClosed { dropped += max(0, bytes.count - room) }
        append(bytes.prefix(room))
    }

    /// A line of the shim's, however much is held.
    func say(_ line: String) {
        append(Array("\(isInsideLine ? "\n" : "")relay-shim: \(line)\n".utf8)[...])
    }

    private func append(_ bytes: ArraySlice<UInt8>) {
        guard !isClosed, let last = bytes.last else { return }
        isInsideLine = last != UInt8(ascii: "\n")
        if start > Self.limit / 2 {
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
                dropped = 0
                break
            }
            start += count
        }
        owed = []
        start = 0
    }

    /// How many bytes were dropped, once, when the gap is over: its reader has come far enough, or nothing more
    /// will be put.
    func takeGap(atTheEnd: Bool) -> Int? {
        guard dropped > 0, atTheEnd || backlog <= Self.limit / 2 else { return nil }
        defer { dropped = 0 }
        return dropped
    }
}
