import Dispatch
import Glibc

/// What a child process writes to a pipe, read as it comes so that the child never waits, and kept up to a bound.
///
/// Concurrency: everything happens on a serial queue of its own.
package final class StreamCapture: @unchecked Sendable {
    /// What is kept of a stream that is longer than the bound.
    package enum Keeping: Sendable {
        case first, last
    }

    private let descriptor: Int32
    private let keeping: Keeping
    private let limit: Int
    private let whenTooLong: @Sendable () -> Void
    private let queue = DispatchQueue(label: "kr-capture")
    private let source: Readiness

    // On the queue alone:
    private var bytes: [UInt8] = []
    private var isTooLong = false

    /// Takes over the descriptor of a pipe's reading end.
    package init(
        _ descriptor: Int32, keeping: Keeping, limit: Int, whenTooLong: @escaping @Sendable () -> Void = {}
    ) {
        self.descriptor = descriptor
        self.keeping = keeping
        self.limit = limit
        self.whenTooLong = whenTooLong
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        source = Readiness(.reading, descriptor, on: queue) { close(descriptor) }
        source.onRing { [weak self] in _ = self?.readOnce() }
        source.resume()
    }

    /// All that was kept, with what is in the pipe now. Called when the child has ended: somebody it left behind
    /// may keep the pipe open for ever.
    package func finish() async -> (bytes: [UInt8], isTooLong: Bool) {
        await withCheckedContinuation { continuation in
            queue.async {
                while !self.source.isCancelled, self.readOnce() {}
                self.source.cancel()
                continuation.resume(returning: (self.bytes, self.isTooLong))
            }
        }
    }

    /// Whether there may be more.
    private func readOnce() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0 { return errno == EINTR }
        if count == 0 {
            source.cancel()
            return false
        }
        switch keeping {
        case .first: bytes += chunk[..<min(count, limit - bytes.count)]
        case .last:
            bytes += chunk[..<count]
            bytes.removeFirst(max(0, bytes.count - limit))
            return true
        }
        if bytes.count == limit, !isTooLong {
            isTooLong = true
            whenTooLong()
        }
        // One who never stops is not waited for.
        return !isTooLong
    }
}
