import CLinux
import Glibc

/// The wait call of one thread: edge-triggered, each descriptor known by a number of the caller's.
///
/// Edge-triggered, because a libzmq descriptor stays readable while commands wait in its mailbox, and a
/// relay that holds a message leaves them there on purpose.
package struct Epoll: ~Copyable {
    private let descriptor: Int32
    private let ready: UnsafeMutablePointer<epoll_event>
    private static let batch = 32

    package init() throws(RelayError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        if descriptor < 0 { throw .system("epoll_create1") }
        ready = .allocate(capacity: Self.batch)
    }

    package func add(_ watched: Int32, as number: UInt64) throws(RelayError) {
        var event = epoll_event(
            events: EPOLLIN.rawValue | EPOLLET.rawValue, data: epoll_data_t(u64: number))
        if epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) != 0 { throw .system("epoll_ctl") }
    }

    package func remove(_ watched: Int32) {
        _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, nil)
    }

    /// Sleeps at most `milliseconds` (-1: for ever) and hands every rung number to `each`.
    package func wait(milliseconds: Int32, _ each: (UInt64) -> Void) {
        let count = epoll_wait(descriptor, ready, Int32(Self.batch), milliseconds)
        guard count > 0 else { return }
        for index in 0..<Int(count) { each(ready[index].data.u64) }
    }

    deinit {
        ready.deallocate()
        _ = close(descriptor)
    }
}
