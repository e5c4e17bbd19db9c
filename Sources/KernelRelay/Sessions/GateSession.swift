import RelayLink

extension Refusal {
    /// The gate is gone for certain: its container is, or runs without it.
    fileprivate var isFinal: Bool {
        let codes: [ErrorCode] = [.containerMissing, .containerStopped, .gateLost]
        return codes.contains { $0.rawValue == code }
    }
}

/// One gate: the container and the user in it, the link, and the kernels behind it.
///
/// A link may end while the gate and its kernels live on: somebody killed the engine's client, or the engine was
/// restarted. Then the gate is joined again; only when that fails are its kernels given up.
///
/// Concurrency: an actor. A kernel's events come by a stream of its own, in the order in which the gate said them.
package actor GateSession {
    /// What happens to a kernel.
    package enum Event: Sendable {
        case output(GateReport.OutputStream, [UInt8])
        case exited(GateReport.Exit)
        /// Nobody knows how it ended, or whether.
        case lost(Refusal)
    }

    package nonisolated let container: Container
    package nonisolated let user: String?
    private nonisolated let engine: Engine
    private nonisolated let name: String
    nonisolated let token: String
    /// As it was when the last link was made.
    package private(set) var welcome: GateReport.Welcome

    private var link: GateLink?
    private var rejoining: Task<Void, Never>?
    private var isClosing = false
    private var kernels: [String: AsyncStream<Event>.Continuation] = [:]
    /// Those of them that the gate has.
    private var running: Set<String> = []
    /// Ends of kernels that nobody has asked for yet, after relayd was started again; the last of them.
    private var ended: [(kernel: String, exit: GateReport.Exit)] = []
    private static let mostEnded = 64
    /// Links that were lost one after another, each soon after it was made.
    private var shortLives = 0
    private var linkedAt = ContinuousClock.now

    /// Finds the gate, or starts one.
    init(
        engine: Engine, container: Container, user: String?, name: String, token: String,
        ports: [String: UInt16]
    ) async throws(Refusal) {
        self.engine = engine
        self.container = container
        self.user = user
        self.name = name
        self.token = token
        let opening = GateSearch(engine: engine, container: container, user: user, name: name, token: token)
        let (gate, welcome) = try await opening.open(ports)
        self.welcome = welcome
        await listen(to: gate)
        endUnclaimed()
    }

    package var kernelCount: Int { kernels.count }

    /// Closes the gate for new kernels if it has been without one for so long.
    func closeIfIdle(for limit: Duration) -> Bool {
        guard !isClosing, kernels.isEmpty, ContinuousClock.now - idleSince >= limit else { return false }
        isClosing = true
        return true
    }
    private var idleSince = ContinuousClock.now

    // MARK: - The link

    private func listen(to gate: OpenGate) async {
        let link = GateLink(gate)
        self.link = link
        linkedAt = .now
        Task {
            for await report in link.reports { self.hear(report) }
            self.linkEnded(link)
        }
        await link.start()
    }

    private func hear(_ report: GateReport) {
        switch report {
        case .output(let kernel, let stream, let data): kernels[kernel]?.yield(.output(stream, data))
        case .exited(let kernel, let exit):
            running.remove(kernel)
            if let sink = kernels.removeValue(forKey: kernel) {
                sink.yield(.exited(exit))
                sink.finish()
            } else {
                ended = ended.suffix(Self.mostEnded - 1) + [(kernel, exit)]
            }
        default: break
        }
    }

    private func linkEnded(_ lost: GateLink) {
        guard link === lost else { return }
        link = nil
        // Without kernels there is nothing to be found again; who comes next starts anew.
        if isClosing || kernels.isEmpty { return loseAll(Refusal(.gateLost, container.name)) }
        shortLives = linkedAt.duration(to: .now) < Tuning.linkIsStable ? shortLives + 1 : 0
        let before = rejoining
        rejoining = Task {
            await before?.value
            await self.rejoin()
        }
    }

    /// Looks for the gate again; the engine itself may be on its way up.
    private func rejoin() async {
        guard link == nil, !isClosing else { return }
        var refusal = Refusal(.gateLost, container.name)
        // A gate that hangs up again and again gets fewer attempts each time.
        for pause in Tuning.rejoinPauses.dropFirst(shortLives) {
            do throws(Refusal) {
                let opening = GateSearch(
                    engine: engine, container: container, user: user, name: name, token: token)
                let (gate, welcome) = try await opening.rejoin()
                if isClosing { return gate.channel.close() }
                self.welcome = welcome
                await listen(to: gate)
                // What the gate does not know has ended longer ago than it remembers.
                let known = Set(welcome.kernels.map(\.kernel))
                for kernel in running where !known.contains(kernel) { lose(kernel, refusal) }
                endUnclaimed()
                return
            } catch {
                refusal = error
                if error.isFinal {
                    if error.code != ErrorCode.gateLost.rawValue {
                        refusal = Refusal(.containerGone, container.name)
                    }
                    break
                }
            }
            try? await Task.sleep(for: pause)
        }
        loseAll(refusal)
    }

    /// Kernels that the gate has and nobody here: an earlier relayd was killed while it started them, or their shims were
    /// while there was none. Shims that live have claimed theirs in the time that this waits.
    private func endUnclaimed() {
        let strange = Set(welcome.kernels.filter { $0.state == .running }.map(\.kernel)).subtracting(
            kernels.keys)
        if strange.isEmpty { return }
        Task {
            try? await Task.sleep(for: Tuning.claimWithin)
            for kernel in strange
            where kernels[kernel] == nil && !ended.contains(where: { $0.kernel == kernel }) {
                Log.note("kernel unclaimed", ["kernel": kernel, "container": container.name])
                try? await self.end(kernel, grace: .seconds(2))
            }
        }
    }

    private func lose(_ kernel: String, _ refusal: Refusal) {
        running.remove(kernel)
        guard let sink = kernels.removeValue(forKey: kernel) else { return }
        sink.yield(.lost(refusal))
        sink.finish()
    }

    private func loseAll(_ refusal: Refusal) {
        isClosing = true
        for kernel in kernels.keys { lose(kernel, refusal) }
    }

    /// Whether a kernel may still be started here. A gate whose link was lost is waited for.
    package func isOpen() async -> Bool {
        if let rejoining { await rejoining.value }
        // Whoever asked is about to bring a kernel.
        idleSince = .now
        return !isClosing
    }

    /// For people: what the link is doing now.
    package var state: String { isClosing ? "closed" : link == nil ? "joining" : "open" }

    private func liveLink() async throws(Refusal) -> GateLink {
        if link == nil, let rejoining { await rejoining.value }
        guard let link else { throw Refusal(.gateLost, container.name) }
        return link
    }

    // MARK: - Kernels

    /// The events of a kernel that is about to be started, or that an earlier relayd started.
    package func events(of kernel: String) -> AsyncStream<Event> {
        let (stream, sink) = AsyncStream<Event>.makeStream()
        if let index = ended.firstIndex(where: { $0.kernel == kernel }) {
            sink.yield(.exited(ended.remove(at: index).exit))
            sink.finish()
        } else if isClosing {
            sink.yield(.lost(Refusal(.gateLost, container.name)))
            sink.finish()
        } else {
            kernels[kernel] = sink
        }
        return stream
    }

    /// Nobody listens to it any more.
    package func forget(_ kernel: String) {
        kernels.removeValue(forKey: kernel)?.finish()
        running.remove(kernel)
        idleSince = .now
    }

    /// Starts a kernel, and says where its connection file is.
    package func spawn(_ launch: GateRequest.Launch) async throws(Refusal) -> String {
        let answer = try await liveLink().ask { .spawn(request: $0, launch) }
        // Its end may have been told already.
        if kernels[launch.kernel] != nil { running.insert(launch.kernel) }
        guard case .spawned(_, _, _, let file) = answer else { throw Refusal(.gateLost, container.name) }
        return file
    }

    /// Nobody waits for the answer: a kernel that has ended meanwhile is told of by its events.
    package func signal(_ kernel: String, _ number: Int32) async {
        guard let link = try? await liveLink() else { return }
        await link.tell { .signal(request: $0, kernel: kernel, number: number, to: .group) }
    }

    /// Ends a kernel and its whole tree; its events say how.
    package func end(_ kernel: String, grace: Duration) async throws(Refusal) {
        let milliseconds = Int64(grace / .milliseconds(1))
        _ = try await liveLink().ask(within: grace + Tuning.gateEnds) {
            .end(request: $0, kernel: kernel, graceMilliseconds: milliseconds)
        }
    }

    /// Whether the kernel itself still runs, as far as its gate says anything.
    package func isRunning(_ kernel: String) async -> Bool {
        guard let link = try? await liveLink(),
            case .status(_, let status)? = try? await link.ask({ .status(request: $0) })
        else { return kernels[kernel] != nil }
        return status.kernels.contains { $0.kernel == kernel && $0.state == .running }
    }

    /// The kernel of an earlier relayd's, as the gate knows it; nothing when it does not.
    package func claim(_ kernel: String) -> GateReport.Kernel? {
        guard let known = welcome.kernels.first(where: { $0.kernel == kernel }) else { return nil }
        if kernels[kernel] != nil { running.insert(kernel) }
        return known
    }

    /// Ends the gate with all its kernels.
    package func stop(grace: Duration) async {
        isClosing = true
        let milliseconds = Int64(grace / .milliseconds(1))
        guard let link else { return }
        _ = try? await link.ask(within: grace + Tuning.gateEnds) {
            .stop(request: $0, graceMilliseconds: milliseconds)
        }
        await link.close()
    }

    /// Lets go of the gate; it and its kernels live on, for the relayd that comes next.
    package func leave() async {
        isClosing = true
        guard let link else { return }
        _ = try? await link.ask(within: Tuning.gateLeaves) { .leave(request: $0) }
        await link.close()
    }
}
