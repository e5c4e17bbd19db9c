import Synchronization

/// The last bytes of a stream without end.
///
/// Concurrency: any thread; the lock is held for a copy or an append.
package final class ByteTail: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var total = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    package init(limit: Int) { self.limit = limit }

    package func append(_ more: some Collection<UInt8>) {
        state.withLock { state in
            state.total += more.count
            state.bytes += more.suffix(limit)
            // Not at every append: what is in front would be moved each time.
            if state.bytes.count > 2 * limit { state.bytes.removeFirst(state.bytes.count - limit) }
        }
    }

    /// What is kept, and how many bytes came before it.
    package var content: (bytes: [UInt8], before: Int) {
        state.withLock { state in
            let bytes = Array(state.bytes.suffix(limit))
            return (bytes, state.total - bytes.count)
        }
    }
}
