import Dispatch
import Glibc
import RelayLink

/// Rings when a socket can be read or written: once for each time that it is asked to.
///
/// Concurrency: everything happens on the queue that it is given.
package final class SocketWatch: @unchecked Sendable {
    private let descriptor: Int32
    private let reading: Readiness
    private let writing: Readiness
    private let changed: (_ readable: Bool, _ writable: Bool) -> Void
    // On the queue alone:
    private var awaitsRead = false
    private var awaitsWrite = false
    private var isClosed = false

    /// Takes the descriptor over.
    package init(
        _ descriptor: Int32, on queue: DispatchQueue,
        _ changed: @escaping (_ readable: Bool, _ writable: Bool) -> Void
    ) {
        self.descriptor = descriptor
        self.changed = changed
        let left = WatchesLeft(descriptor)
        reading = Readiness(.reading, descriptor, on: queue) { left.oneLess() }
        writing = Readiness(.writing, descriptor, on: queue) { left.oneLess() }
        reading.onRing { [weak self] in self?.ring(read: true) }
        writing.onRing { [weak self] in self?.ring(read: false) }
    }

    private func ring(read: Bool) {
        guard !isClosed, read ? awaitsRead : awaitsWrite else { return }
        if read {
            awaitsRead = false
            reading.suspend()
        } else {
            awaitsWrite = false
            writing.suspend()
        }
        changed(read, !read)
    }

    deinit { close() }
}

extension SocketWatch: StreamWatch {
    package func await(read: Bool, write: Bool) {
        guard !isClosed else { return }
        if read, !awaitsRead {
            awaitsRead = true
            reading.resume()
        }
        if write, !awaitsWrite {
            awaitsWrite = true
            writing.resume()
        }
    }

    /// The other end of a connection sees its end at once: the number itself is closed a moment later.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        shutdown(descriptor, Int32(SHUT_RDWR))
        reading.cancel()
        writing.cancel()
    }
}
