import CLinux
import Dispatch
import Glibc

/// Rings on a queue as long as a descriptor can be read, or written: while it is resumed, and until it is cancelled.
///
/// Dispatch does not watch the descriptor itself but an epoll of one entry, which says that there is something and never
/// that the other side has hung up. At a hang-up Dispatch for Linux frees what it knows of a descriptor on one thread while
/// another may walk it still, and it never rings again, however much is left to read. And two of these on one descriptor
/// do not hold up each other, as two of Dispatch's own do.
///
/// Concurrency: used on the queue that it rings on, and before it is resumed first by whoever makes it.
final class Readiness: @unchecked Sendable {
    enum Direction { case reading, writing }

    private let source: any DispatchSourceProtocol
    private var isRunning = false
    private(set) var isCancelled = false

    /// - Parameter released: the descriptor is not watched any more, and its number may be used again.
    init(
        _ direction: Direction, _ descriptor: Int32, on queue: DispatchQueue, released: @escaping () -> Void
    ) {
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else {
            // None is left: better watched by Dispatch than by nobody.
            source =
                direction == .reading
                ? DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
                : DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
            source.setCancelHandler(handler: released)
            return
        }
        var wanted = epoll_event()
        wanted.events = direction == .reading ? EPOLLIN.rawValue : EPOLLOUT.rawValue
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &wanted)
        source = DispatchSource.makeReadSource(fileDescriptor: epoll, queue: queue)
        source.setCancelHandler {
            Glibc.close(epoll)
            released()
        }
    }

    func onRing(_ ring: @escaping () -> Void) { source.setEventHandler(handler: ring) }

    func resume() {
        guard !isRunning, !isCancelled else { return }
        isRunning = true
        source.resume()
    }

    func suspend() {
        guard isRunning, !isCancelled else { return }
        isRunning = false
        source.suspend()
    }

    /// What it rings is let go of, and it rings no more.
    func cancel() {
        guard !isCancelled else { return }
        isCancelled = true
        source.cancel()
        // A suspended source would never come to its end.
        if !isRunning { source.resume() }
    }

    deinit { cancel() }
}

/// Closes a descriptor when the last of two watches has let go of it. Both do so on one serial queue.
final class WatchesLeft: @unchecked Sendable {
    private let descriptor: Int32
    private var count = 2

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func oneLess() {
        count -= 1
        if count == 0 { close(descriptor) }
    }
}
