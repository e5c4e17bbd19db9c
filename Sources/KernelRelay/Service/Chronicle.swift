import RelayLink

/// Looks at every kernel every two seconds, and more often where somebody waits; keeps what it saw, and notes when a
/// verdict changes.
///
/// Concurrency: an actor. It rests while there is no kernel.
actor Chronicle {
    private var records: [String: KernelRecord] = [:]
    /// Those that are looked at more often than they are sampled.
    private var watched: Set<String> = []
    private var ended: [Ended] = []
    private var sampling: Task<Void, Never>?
    private var vigil = Vigil()

    /// A kernel that has ended, and why.
    struct Ended: Sendable {
        let kernel: String
        let notebook: String?
        let container: String
        let verdict: KernelVerdict
        let since: ContinuousClock.Instant
        let at: ContinuousClock.Instant
    }

    func begin(_ session: KernelSession) {
        records[session.id] = KernelRecord(session)
        guard sampling == nil else { return }
        sampling = Task {
            var sampled = ContinuousClock.now
            while !records.isEmpty {
                try? await Task.sleep(for: Tuning.lookEvery)
                vigil.look()
                let isSample = sampled.duration(to: .now) >= Tuning.sampleEvery
                if isSample { sampled = .now }
                // By their names: records are large, and are not to be copied four times a second.
                for kernel in isSample ? Array(records.keys) : Array(watched) {
                    if let session = records[kernel]?.session { await look(at: session, sampling: isSample) }
                }
            }
            sampling = nil
        }
    }

    func end(_ session: KernelSession) async {
        await look(at: session)
        watched.remove(session.id)
        guard let record = records.removeValue(forKey: session.id) else { return }
        let now = ContinuousClock.now
        let last = Ended(
            kernel: session.id, notebook: session.launch.session, container: await session.container,
            verdict: record.verdict,
            since: record.since,
            at: now)
        ended =
            [last]
            + ended.filter { $0.at.duration(to: now) < Tuning.endedIsKept }.prefix(Tuning.mostEnded - 1)
    }

    /// The newest first.
    var recentlyEnded: [Ended] {
        let now = ContinuousClock.now
        return ended.filter { $0.at.duration(to: now) < Tuning.endedIsKept }
    }

    /// What is known of a kernel now, with what was kept of it.
    func present(_ session: KernelSession) async -> (KernelRecord, Observation)? {
        let seen = await look(at: session)
        return records[session.id].map { ($0, seen) }
    }

    @discardableResult
    private func look(at session: KernelSession, sampling: Bool = false) async -> Observation {
        var seen = await session.observation
        // Behind it: what held up the looker meanwhile is a gap, too.
        vigil.look()
        seen.watchedSince = vigil.since
        let statistics = sampling ? await session.statistics : nil
        guard let before = records[session.id]?.verdict.word else { return seen }
        // Where it lies: a record has ten minutes of samples in it.
        let isNew = records[session.id]?.note(seen) == true
        if sampling { records[session.id]?.sample(seen, statistics) }
        guard let (verdict, isWatched) = records[session.id].map({ ($0.verdict, $0.isWatched) }) else {
            return seen
        }
        if isWatched { watched.insert(session.id) } else { watched.remove(session.id) }
        if isNew { note(verdict, of: session, before) }
        // While it lasts, and once more: a cell may have come since.
        if verdict.word.isTrouble || before.isTrouble && verdict.word.isOrdinary {
            await session.remark(verdict)
        }
        return seen
    }

    /// A notebook at work is busy and not busy all day, and that is no news.
    private func note(
        _ verdict: KernelVerdict, of session: KernelSession, _ before: KernelVerdict.Word
    ) {
        if before.isOrdinary, verdict.word.isOrdinary { return }
        Log.note("verdict", ["kernel": session.id, "word": verdict.word.rawValue, "text": verdict.text])
    }
}
