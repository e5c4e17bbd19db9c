/// What relayd keeps of one kernel from one look to the next: since when its verdict holds, the figures of the last look,
/// and the last ten minutes.
///
/// Concurrency: a value of the supervisor's.
struct KernelRecord: Sendable {
    typealias Instant = ContinuousClock.Instant

    let session: KernelSession
    private(set) var verdict = KernelVerdict(.starting, "not reached yet")
    private(set) var since: Instant
    /// There is a cell that may have to be told something, or something the matter, or nearly.
    private(set) var isWatched = false
    private(set) var history = KernelHistory()
    /// The counts of the last two samples, from which rates are made.
    private(set) var counts: (before: Counts, last: Counts)?
    private var beats = (answered: 0, lost: 0)
    /// When that was seen which the verdict is made of.
    private var seenAt: Instant

    struct Counts: Sendable {
        let at: Instant
        let statistics: RelayStatistics
    }

    init(_ session: KernelSession) {
        self.session = session
        since = session.came
        seenAt = session.came
    }

    /// Takes note of what is seen now. True when the verdict is another than before.
    ///
    /// Several look at once, and each waits for what it sees: what was seen before the last that is known changes nothing.
    mutating func note(_ seen: Observation) -> Bool {
        guard seen.now >= seenAt else { return false }
        seenAt = seen.now
        let new = KernelVerdict(seen)
        let isNew = new.word != verdict.word
        if isNew { since = new.began ?? seen.now }
        // What a word says of itself may change while it holds.
        verdict = new
        let pulse = seen.pulse
        isWatched =
            pulse?.busySince != nil || pulse?.waitsSince != nil || pulse?.heldSince != nil
            || new.word.isTrouble
        if let began = new.began { since = began }
        return isNew
    }

    mutating func sample(_ seen: Observation, _ statistics: RelayStatistics?) {
        if let statistics {
            let last = Counts(at: seen.now, statistics: statistics)
            counts = (counts?.last ?? last, last)
        }
        history.append(
            .init(
                roundTrip: roundTrip(seen), messagesPerSecond: Float(messagesPerSecond),
                word: verdict.word))
        beats = (seen.pulse?.beatsAnswered ?? 0, seen.pulse?.beatsLost ?? 0)
    }

    /// The last beat's. Nothing where one was lost since the last sample, or is by now; a kernel at rest has samples between
    /// two beats.
    private func roundTrip(_ seen: Observation) -> Duration? {
        guard seen.isConnected, let pulse = seen.pulse else { return nil }
        let isLost = pulse.beatsLost > beats.lost || seen.unansweredSince != nil
        return isLost && pulse.beatsAnswered <= beats.answered ? nil : pulse.lastBeat
    }

    private var messagesPerSecond: Double {
        guard let counts else { return 0 }
        // Heartbeats are there whether anybody does anything or not.
        return counts.last.statistics.lanes.indices.reduce(0) {
            counts.last.statistics.lanes[$1].channel == .hb ? $0 : $0 + rate(of: $1).messages
        }
    }

    /// Of one lane, between the last two samples; a kernel that was started anew began at nothing.
    func rate(of lane: Int) -> (messages: Double, bytes: Double) {
        guard let counts else { return (0, 0) }
        let seconds = counts.before.at.duration(to: counts.last.at).seconds
        guard seconds > 0 else { return (0, 0) }
        let (before, last) = (counts.before.statistics.lanes[lane], counts.last.statistics.lanes[lane])
        return (
            Double(max(0, last.messages - before.messages)) / seconds,
            Double(max(0, last.bytes - before.bytes)) / seconds
        )
    }
}
