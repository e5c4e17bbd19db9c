import Glibc
import Synchronization

/// The lines that a child process writes to a socket, as they come, for as long as it likes.
///
/// Concurrency: a thread of its own reads, and calls `onLine` and then `onEnd`. Anybody may close it, any number of times.
/// Not by Dispatch: on Linux that looks once more at a descriptor whose other end is gone, and then never again, so that
/// an end can be missed when there was something to read before it.
package final class LineReader: Sendable {
    /// Nothing once it is closed: the number may be another's then.
    private let descriptor: Mutex<Int32?>

    /// Takes over the descriptor, one of a pair of sockets.
    ///
    /// - Parameters:
    ///   - limit: of a longer line comes the beginning, once, and the rest is passed over.
    ///   - onEnd: when nobody holds the other end any more, or `close` was called.
    package init(
        _ descriptor: Int32, limit: Int,
        onLine: @escaping @Sendable (_ line: [UInt8], _ isWhole: Bool) -> Void,
        onEnd: @escaping @Sendable () -> Void
    ) throws(RelayError) {
        self.descriptor = Mutex(descriptor)
        do throws(RelayError) {
            try Thread(name: "kr-lines") {
                Self.read(descriptor, limit, onLine)
                self.descriptor.withLock { open in
                    open = nil
                    _ = Glibc.close(descriptor)
                }
                onEnd()
            }.detach()
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
    }

    package func close() {
        descriptor.withLock { descriptor in
            if let descriptor { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private static func read(
        _ descriptor: Int32, _ limit: Int, _ onLine: (_ line: [UInt8], _ isWhole: Bool) -> Void
    ) {
        var line: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            for byte in chunk[..<count] {
                if byte == UInt8(ascii: "\n") {
                    // One that was too long has been told.
                    if line.count < limit { onLine(line, true) }
                    line.removeAll(keepingCapacity: true)
                } else if line.count < limit {
                    line.append(byte)
                    if line.count == limit { onLine(line, false) }
                }
            }
        }
    }
}
