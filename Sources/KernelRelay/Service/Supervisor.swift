import Glibc
import RelayLink

/// What one relayd does: the kernels of its shims, and the gates behind them.
///
/// Concurrency: an actor; each kernel's life is a task of its own.
package actor Supervisor {
    private let gates: GatePool
    private var kernels: [String: KernelSession] = [:]
    private var isStopping = false
    private let began = ContinuousClock.now
    private var quietSince = ContinuousClock.now
    private var guests = 0

    package init(folder: String) throws(RelayError) {
        gates = GatePool(secret: try GateSecret(folder: folder))
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
            await session.run(request: request)
            self.ended(session)
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

    private func ended(_ session: KernelSession) {
        tidySoon()
        kernels[session.id] = nil
        quietSince = .now
        for continuation in whenEmpty where kernels.isEmpty { continuation.resume() }
        if kernels.isEmpty { whenEmpty = [] }
    }

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

    /// The connection file of a kernel, found by its id or the beginning of it.
    func connection(of name: String?) async throws(Refusal) -> (kernel: String, file: [UInt8]) {
        let found = kernels.values.filter { name.map($0.id.hasPrefix) ?? true }
        guard let session = found.first else {
            throw Refusal(.kernelUnknown, name.map { RelayLink.printable($0) } ?? "none runs")
        }
        guard found.count == 1 else { throw Refusal(.kernelAmbiguous, "\(found.count) kernels") }
        guard let file = await session.connectionFile else { throw Refusal(.kernelUnknown, session.id) }
        return (session.id, file)
    }

    func status() async -> JSON {
        var list: [JSON] = []
        for session in kernels.values.sorted(by: { $0.began < $1.began }) {
            list.append(StatusReport.kernel(session, await session.summary))
        }
        var gateList: [JSON] = []
        for gate in await gates.all where await gate.state != "closed" {
            gateList.append(await StatusReport.gate(gate))
        }
        return [
            "schema_version": 1, "release": .string(ControlProtocol.release), "pid": .whole(Int64(getpid())),
            "uptime_seconds": StatusReport.seconds(since: began), "kernels": .array(list),
            "gates": .array(gateList),
        ]
    }

    // MARK: - The end

    /// Ends every kernel and every gate. Their shims hear of it.
    package func stop(grace: Duration) async {
        isStopping = true
        let all = Array(kernels.values)
        await withTaskGroup { group in
            for session in all { group.addTask { await session.end(grace: grace) } }
        }
        await untilEmpty()
        await gates.close(stopping: true)
    }

    /// Ends, and leaves the kernels running behind their gates: the next relayd takes them up again.
    package func handOver() async {
        isStopping = true
        let all = Array(kernels.values)
        await withTaskGroup { group in
            for session in all { group.addTask { await session.handOver() } }
        }
        await untilEmpty()
        await gates.close(stopping: false)
    }
}
