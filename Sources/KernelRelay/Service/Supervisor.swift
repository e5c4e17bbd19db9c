import Glibc
import Host
import RelayLink

/// What one relayd does: the kernels of its shims, and the gates behind them.
///
/// Concurrency: an actor; each kernel's life is a task of its own.
package actor Supervisor {
    let gates: GatePool
    private let drain: DrainMark
    private(set) var kernels: [String: KernelSession] = [:]
    private let chronicle = Chronicle()
    private(set) var isStopping = false
    private let began = ContinuousClock.now
    /// Seconds since 1970.
    let started = time(nil)
    private var quietSince = ContinuousClock.now
    private var guests = 0
    /// The status page, where somebody asked for one.
    var page: WebServer?
    /// What looks for containers, where somebody asked for that.
    var discovering: (discovery: Discovery, task: Task<Void, Never>)?
    /// relayd's own.
    nonisolated let folder: String
    /// What the kernels that have ended had added up.
    private(set) var past = Tally()

    package init(folder: String) throws(RelayError) {
        self.folder = folder
        let drain = DrainMark(folder: folder)
        self.drain = drain
        gates = GatePool(secret: try GateSecret(folder: folder), drain: drain)
        // A relayd that was killed could not take away where its tunnels began.
        UnixListener.removeAbandoned(in: folder, prefix: GateStreams.prefix)
    }

    /// Begins a kernel's life.
    func begin(
        _ launch: ControlRequest.Launch, keepsake: ControlRequest.Keepsake?, request: Int64,
        for shim: FrameChannel
    ) throws(Refusal) -> KernelSession {
        if isStopping { throw Refusal(.relaydStopping, "it takes no more kernels") }
        let session = KernelSession(launch, keepsake: keepsake, shim: shim, gates: gates)
        guard kernels[session.id] == nil else {
            throw Refusal(.kernelTaken, session.id)
        }
        kernels[session.id] = session
        tidySoon()
        Task {
            await chronicle.begin(session)
            await session.run(request: request)
            await chronicle.end(session)
            self.ended(session, await session.tally)
        }
        return session
    }

    /// Once for all that starts or ends within a while.
    private func tidySoon() {
        guard tidying == nil else { return }
        tidying = Task {
            try? await Task.sleep(for: Tuning.tidyAfter)
            self.tidying = nil
            Memory.giveBack()
        }
    }

    private var tidying: Task<Void, Never>?

    private func ended(_ session: KernelSession, _ tally: Tally) {
        tidySoon()
        past.add(tally)
        kernels[session.id] = nil
        lastWords = lastWords.suffix(Tuning.stderrOfEnded - 1) + [(session.id, session.stderrTail)]
        quietSince = .now
        for continuation in whenEmpty where kernels.isEmpty { continuation.resume() }
        if kernels.isEmpty { whenEmpty = [] }
    }

    /// What ended kernels wrote to stderr, the latest last.
    private var lastWords: [(kernel: String, tail: ByteTail)] = []

    private var whenEmpty: [CheckedContinuation<Void, Never>] = []

    private func untilEmpty() async {
        if kernels.isEmpty { return }
        await withCheckedContinuation { whenEmpty.append($0) }
    }

    // MARK: - Whether anybody needs it

    func guestCame() { guests += 1 }

    func guestLeft() {
        guests -= 1
        quietSince = .now
    }

    /// How long nobody has been connected, and no kernel has run.
    package var idleTime: Duration {
        kernels.isEmpty && guests == 0 ? ContinuousClock.now - quietSince : .zero
    }

    // MARK: - For people

    /// A kernel by its id or the beginning of it; the only one where none is named.
    private func session(of name: String?) throws(Refusal) -> KernelSession {
        let found = kernels.values.filter { name.map($0.id.hasPrefix) ?? true }
        guard let session = found.first else {
            throw Refusal(.kernelUnknown, name.map { RelayLink.printable($0) } ?? "none runs")
        }
        guard found.count == 1 else { throw Refusal(.kernelAmbiguous, "\(found.count) kernels") }
        return session
    }

    /// Ends one kernel; whoever has it open is told why.
    func end(_ name: String, grace: Duration) async throws(Refusal) {
        try await session(of: name).endOnRequest(grace: grace)
    }

    /// The connection file of a kernel.
    func connection(of name: String?) async throws(Refusal) -> (kernel: String, file: [UInt8]) {
        let session = try session(of: name)
        guard let file = await session.connectionFile else { throw Refusal(.kernelUnknown, session.id) }
        return (session.id, file)
    }

    /// What a kernel wrote to stderr last, also of one that has ended; the latest of those where all of a name have.
    func stderr(of name: String?) throws(Refusal) -> (kernel: String, tail: ByteTail) {
        let running = kernels.values.filter { name.map($0.id.hasPrefix) ?? true }
        if running.count > 1 { throw Refusal(.kernelAmbiguous, "\(running.count) kernels") }
        if let session = running.first { return (session.id, session.stderrTail) }
        guard let ended = lastWords.last(where: { name.map($0.kernel.hasPrefix) ?? true }) else {
            throw Refusal(.kernelUnknown, name.map { RelayLink.printable($0) } ?? "none runs")
        }
        return ended
    }

    /// - Parameter history: with the last ten minutes.
    func status(history: Bool = false) async -> JSON {
        var list: [JSON] = []
        for session in kernels.values.sorted(by: { $0.began < $1.began }) {
            // One that ends in this moment is told of among those that have.
            guard let (record, seen) = await chronicle.present(session) else { continue }
            list.append(StatusReport.kernel(record, seen, await session.summary, history: history))
        }
        var gateList: [JSON] = []
        for gate in await gates.all {
            if let report = await StatusReport.gate(gate) { gateList.append(report) }
        }
        let resources = OwnResources.now
        var fields: [String: JSON] = [
            "schema_version": 2, "release": .string(ControlProtocol.release), "pid": .whole(Int64(getpid())),
            "uptime_seconds": StatusReport.seconds(since: began),
            "resources": [
                "memory_bytes": .whole(Int64(resources.memoryBytes)),
                "cpu_seconds": StatusReport.rounded(resources.cpuSeconds, 100),
                "threads": .whole(Int64(resources.threads)),
            ],
            "kernels": .array(list), "ended": .array(await chronicle.recentlyEnded.map(StatusReport.ended)),
            "draining": .bool(drain.isSet),
            "gates": .array(gateList), "page": page.map { .string($0.url) } ?? .null,
            "discovery": await discoveryReport,
        ]
        if history {
            fields["events"] = .array(Log.ring.page().entries.suffix(Tuning.eventsShown).map(\.json))
        }
        return .object(fields)
    }

    // MARK: - The end

    /// Ends every kernel and every gate. Their shims hear of it.
    package func stop(grace: Duration) async {
        isStopping = true
        await endDiscovery(forGood: true)
        let all = Array(kernels.values)
        await withTaskGroup { group in
            for session in all { group.addTask { await session.stop(grace: grace) } }
        }
        await untilEmpty()
        await gates.close(stopping: true)
    }

    /// Ends, and leaves the kernels running behind their gates: the next relayd takes them up again.
    package func handOver() async {
        isStopping = true
        // Where there are kernels their shims start the next relayd at once, which goes on with it.
        await endDiscovery(forGood: kernels.isEmpty)
        let all = Array(kernels.values)
        await withTaskGroup { group in
            for session in all { group.addTask { await session.handOver() } }
        }
        await untilEmpty()
        await gates.close(stopping: false)
    }
}
