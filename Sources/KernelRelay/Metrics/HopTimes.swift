import Synchronization

/// How long the gates' answers took and the engines', of all that there were: what one gate knows of itself goes with it.
///
/// Concurrency: any thread; each answer is noted once, some in a second.
package final class HopTimes: Sendable {
    package enum Hop: String, Sendable, CaseIterable { case gate, engine }

    private let times = Mutex<[Hop: Histogram]>([:])

    package init() {}

    package func note(_ hop: Hop, took duration: Duration) {
        times.withLock { $0[hop, default: Histogram()].record(duration.nanoseconds) }
    }

    package var now: [Hop: Histogram] { times.withLock(\.self) }
}
