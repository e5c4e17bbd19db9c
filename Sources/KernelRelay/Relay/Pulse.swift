/// A relay's own heartbeats: no front-end sends any that could be relied on.
///
/// One is under way at a time. A kernel that was stopped for an hour then has one to answer, and not a thousand.
///
/// Concurrency: confined to the relay's thread.
final class Pulse {
    typealias Instant = ContinuousClock.Instant

    /// What tells our own from a client's. No client can have it: the front names them otherwise.
    private let identity: [UInt8]
    private let counters: Counters
    private var sentAt: Instant?
    /// The one under way has been counted as lost.
    private var isOverdue = false
    /// When one was sent, or should have been; nothing while no kernel is there.
    private var last: Instant?

    init(_ identity: [UInt8], _ counters: Counters) {
        self.identity = identity
        self.counters = counters
    }

    /// Whether one is under way.
    var isAwaited: Bool { sentAt != nil }

    /// When ``beat(to:now:)`` or ``look(every:now:)`` has something to do; nothing while no kernel is there. A beat that is
    /// overdue does not let the thread sleep for good: that it goes round is what others see of it.
    func deadline(every pace: Duration) -> Instant? {
        if let sentAt, !isOverdue { sentAt + Tuning.beatPatience } else { last.map { $0 + pace } }
    }

    /// Sends one, unless the one before is not back.
    func beat(to sink: SocketHandle, now: Instant) {
        guard sentAt == nil else { return }
        var heartbeat = Frames([identity, [], Array("relay".utf8)])
        // A full pipe is as good as no answer.
        _ = heartbeat.send(to: sink)
        sentAt = now
        isOverdue = false
        last = now
        counters.mark(.beatSent, at: now)
    }

    /// Whether it is time for another.
    func isDue(every pace: Duration, now: Instant) -> Bool {
        sentAt == nil && last.map { $0 + pace <= now } == true
    }

    /// Counts the one under way as lost when it has had its time.
    func look(every pace: Duration, now: Instant) {
        guard let sentAt, now >= sentAt + Tuning.beatPatience else { return }
        if !isOverdue { counters.add(1, to: .beatsLost) }
        isOverdue = true
        if let before = last, before + pace <= now { last = now }
    }

    /// Whether a heartbeat from the kernel is ours. Then it goes no further.
    func takes(_ frames: borrowing Frames) -> Bool {
        guard frames.count > 0, frames.size(0) == identity.count,
            frames.view(0).elementsEqual(identity)
        else { return false }
        guard let sentAt else { return true }
        let now = Instant.now
        self.sentAt = nil
        counters.mark(.beatSent, at: nil)
        counters.add(1, to: .beatsAnswered)
        let took = sentAt.duration(to: now)
        counters.set(.lastBeat, to: Int(clamping: took.nanoseconds))
        if !isOverdue { counters.record(took, in: .heartbeat) }
        return true
    }

    /// The kernel is gone, or another is looked for.
    func stop() {
        sentAt = nil
        last = nil
        isOverdue = false
        counters.mark(.beatSent, at: nil)
    }
}
