import Synchronization

/// Traffic under way on other threads, and what became of it.
final class Traffic: Sendable {
    let run: BurstRun
    private let result = Mutex<BurstOutcome?>(nil)

    init(_ run: BurstRun) { self.run = run }

    /// The outcome, once the sink has all there was.
    var outcome: BurstOutcome? { result.withLock { $0 } }
    func end(_ outcome: BurstOutcome) { result.withLock { $0 = outcome } }
}
