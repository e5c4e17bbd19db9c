import Synchronization

/// What the two ends of a burst do about signatures.
enum Ends {
    /// Nothing: messages were signed beforehand and are taken as they come. The hop's own capacity shows.
    case bare
    /// What every kernel and client do: the kernel computes each signature, the client checks each one.
    case signing
}

/// What the publisher's thread and the sink's tell each other during one burst: a stop, and the number sent.
final class BurstRun: Sendable {
    private let stopping = Atomic<Bool>(false)
    private let total = Atomic<Int>(-1)
    private let finishedAt = Atomic<UInt64>(0)

    var mustStop: Bool { stopping.load(ordering: .relaxed) }
    func stop() { stopping.store(true, ordering: .relaxed) }

    /// How many were sent, or -1 while sending goes on.
    var sent: Int { total.load(ordering: .acquiring) }
    func finish(sent: Int) {
        finishedAt.store(Wire.now().bitPattern, ordering: .relaxed)
        total.store(sent, ordering: .releasing)
    }

    /// When sending ended, by the bench's clock.
    var finished: Double { Double(bitPattern: finishedAt.load(ordering: .relaxed)) }
}

/// What arrived of a burst.
struct BurstOutcome {
    var received = 0
    /// Messages whose signature was wrong, where the sink looked.
    var forged = 0
    /// Messages whose number was not the next one.
    var outOfOrder = 0
    var sent = 0
    var seconds = 0.0

    var lost: Int { max(0, sent - received) }
}
