import RelayLink
import Synchronization

/// The last events of a log, numbered in order. Whoever follows keeps a number, not a queue: a reader that falls
/// behind misses entries, and learns how many, and costs no memory.
///
/// Concurrency: any thread; the lock is held for a copy or an append.
package final class LogRing: Sendable {
    private struct State {
        var entries: [LogEntry] = []
        /// The place in `entries` of the oldest, once it is full.
        var oldest = 0
        /// The number that the next entry gets.
        var next: Int64 = 0
        var followers: [Int: AsyncStream<Void>.Continuation] = [:]
        var lastFollower = 0
    }

    /// What came from a number on.
    package struct Page: Sendable, Equatable {
        package var entries: [LogEntry]
        /// How many were gone already.
        package var missed: Int64
        /// Where the next page begins.
        package var next: Int64
    }

    private let limit: Int
    private let state = Mutex(State())

    package init(limit: Int) { self.limit = limit }

    package func append(_ entry: LogEntry) {
        let followers = state.withLock { state in
            if state.entries.count < limit {
                state.entries.append(entry)
            } else {
                state.entries[state.oldest] = entry
                state.oldest = (state.oldest + 1) % limit
            }
            state.next += 1
            return Array(state.followers.values)
        }
        for follower in followers { follower.yield() }
    }

    /// What is known from a number on.
    package func page(from number: Int64 = 0) -> Page {
        state.withLock { state in
            let first = state.next - Int64(state.entries.count)
            let from = max(first, min(number, state.next))
            let all = state.entries[state.oldest...] + state.entries[..<state.oldest]
            return Page(
                entries: Array(all.dropFirst(Int(from - first))), missed: from - min(number, from),
                next: state.next)
        }
    }

    /// Rings when there is more, once however much it is.
    package func bell() -> AsyncStream<Void> {
        let (stream, sink) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.lastFollower += 1
            state.followers[state.lastFollower] = sink
            return state.lastFollower
        }
        sink.onTermination = { [weak self] _ in
            self?.state.withLock { $0.followers[number] = nil }
        }
        return stream
    }
}
