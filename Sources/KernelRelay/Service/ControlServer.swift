import CLinux
import Dispatch
import Glibc
import Host
import RelayLink

/// The control socket: takes connections of this user's programs, and of nobody else's.
///
/// Concurrency: connections are accepted on the server's own queue; each is served by a task.
package final class ControlServer: @unchecked Sendable {
    /// On the queue, once it serves; gone when it has been closed.
    private var listener: UnixListener?
    private let supervisor: Supervisor
    private let queue = DispatchQueue(label: "kr-control")
    private let accepting: any DispatchSourceRead
    private let ended: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    package init(_ path: String, supervisor: Supervisor) throws(RelayError) {
        let listener = try UnixListener(path)
        self.listener = listener
        self.supervisor = supervisor
        accepting = DispatchSource.makeReadSource(fileDescriptor: listener.descriptor, queue: queue)
        (ended, end) = AsyncStream.makeStream()
    }

    package func start() {
        accepting.setEventHandler { [weak self] in self?.accept() }
        accepting.resume()
    }

    /// Returns when somebody has asked relayd to end, and all kernels have.
    package func untilStopped() async { for await _ in ended { return } }

    private func accept() {
        while let listener {
            let descriptor = accept4(
                listener.descriptor, nil, nil, Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue))
            if descriptor < 0 {
                // Without descriptors the caller would be asked about again at once, for ever.
                if errno == EMFILE || errno == ENFILE { usleep(Tuning.acceptPauseMicroseconds) }
                return
            }
            guard UnixStream.peer(of: descriptor) == geteuid() else {
                Log.note("stranger refused")
                Glibc.close(descriptor)
                continue
            }
            let connection = ControlConnection(
                channel: FrameChannel(descriptor), supervisor: supervisor,
                onStopped: { [end] in end.finish() })
            Task { await connection.serve() }
        }
    }

    /// Takes no more connections; when it returns the socket's file is gone.
    package func close() {
        queue.sync {
            listener?.withdraw()
            // Dispatch lets go of the descriptor in its own time.
            accepting.setCancelHandler { [listener] in withExtendedLifetime(listener) {} }
            accepting.cancel()
            listener = nil
        }
    }
}
