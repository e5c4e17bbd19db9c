import Dispatch
import Glibc
import RelayLink

/// Rings when a socket can be read or written: once for each time that it is asked to.
///
/// Concurrency: everything happens on the queue that it is given.
package final class SocketWatch: @unchecked Sendable {
    private let descriptor: Int32
    private let twin: Int32
    private let reading: any DispatchSourceRead
    private let writing: any DispatchSourceWrite
    private let changed: (_ readable: Bool, _ writable: Bool) -> Void
    // On the queue alone:
    private var awaitsRead = false
    private var awaitsWrite = false
    private var isClosed = false

    /// Takes the descriptor over; nothing when there is none left for its twin.
    package init?(
        _ descriptor: Int32, on queue: DispatchQueue,
        _ changed: @escaping (_ readable: Bool, _ writable: Bool) -> Void
    ) {
        // A number for each source, for the reason that FrameChannel gives.
        twin = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard twin >= 0 else { return nil }
        self.descriptor = descriptor
        self.changed = changed
        reading = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        writing = DispatchSource.makeWriteSource(fileDescriptor: twin, queue: queue)
        reading.setEventHandler { [weak self] in self?.ring(read: true) }
        writing.setEventHandler { [weak self] in self?.ring(read: false) }
        // The numbers must not be used again before the sources have let go of them.
        reading.setCancelHandler { Glibc.close(descriptor) }
        writing.setCancelHandler { [twin] in Glibc.close(twin) }
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
        // A suspended source would never be cancelled.
        if !awaitsRead { reading.resume() }
        if !awaitsWrite { writing.resume() }
        reading.cancel()
        writing.cancel()
    }
}
