import RelayLink

/// One gate: the container and the user in it, the link, and the kernels behind it.
///
/// A link may end while the gate and its kernels live on: somebody killed the engine's client, or the engine was
/// restarted. Then the gate is joined again, and as long as nobody can say whether it is there its kernels are not given
/// up (`GateSession+Rejoining`).
///
/// Concurrency: an actor. A kernel's events come by a stream of its own, in the order in which the gate said them.
package actor GateSession {
    /// What happens to a kernel.
    package enum Event: Sendable {
        case output(GateReport.OutputStream, [UInt8])
        case exited(GateReport.Exit)
        /// Nobody knows how it ended, or whether.
        case lost(Refusal)
        /// Its container ends in so many milliseconds; 0 for now, and `exited` follows.
        case ending(LifetimeLimit, Int64)
    }

    package nonisolated let container: Container
    package nonisolated let user: String?
    nonisolated let engine: Engine
    nonisolated let name: String
    nonisolated let token: String
    private nonisolated let watch: GateWatch
    nonisolated let sought: SoughtKernels
    nonisolated let streams = GateStreams()
    /// relayd's own, for the sockets at which tunnels begin.
    private nonisolated let folder: String
    /// As it was when the last link was made.
    package internal(set) var welcome: GateReport.Welcome

    var link: GateLink?
    var rejoining: Task<Void, Never>?
    /// Why nobody can say at present whether the gate is there, while it is looked for at leisure.
    var obstacle: Refusal?
    var isClosing = false
    var kernels: [String: AsyncStream<Event>.Continuation] = [:]
    private var use = KernelUse()
    /// The container's end, where nothing helps against it and it has been told.
    private var end: Int64?
    /// Those of them that the gate has.
    var running: Set<String> = []
    /// Ends of kernels that nobody has asked for yet, after relayd was started again; the last of them.
    var ended: [(kernel: String, exit: GateReport.Exit)] = []
    private static let mostEnded = 64
    /// Links that were lost one after another, each soon after it was made.
    private var shortLives = 0
    private var linkedAt = ContinuousClock.now

    /// Finds the gate, or starts one.
    init(
        engine: Engine, container: Container, user: String?, name: String, token: String,
        ports: [String: UInt16], folder: String, sought: SoughtKernels, hops: HopTimes
    ) async throws(Refusal) {
        self.engine = engine
        self.container = container
        self.user = user
        self.name = name
        self.token = token
        self.folder = folder
        self.sought = sought
        watch = GateWatch(engine: engine, container: container, hops: hops)
        let opening = GateSearch(
            engine: engine, container: container, user: user, name: name, token: token, streams: streams)
        let (gate, welcome) = try await opening.open(ports)
        self.welcome = welcome
        await listen(to: gate)
        endUnclaimed()
    }

    package var kernelCount: Int { kernels.count }

    /// Closes the gate for new kernels if it has been without one for so long.
    func closeIfIdle(for limit: Duration) -> Bool {
        guard !isClosing, kernels.isEmpty, ContinuousClock.now - idleSince >= limit,
            !welcome.kernels.contains(where: { sought.contains($0.kernel) })
        else { return false }
        isClosing = true
        return true
    }
    private var idleSince = ContinuousClock.now

    // MARK: - The link

    func listen(to gate: OpenGate) async {
        let link = GateLink(gate)
        self.link = link
        obstacle = nil
        linkedAt = .now
        await streams.attach(to: gate.channel, welcome.streams)
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
            use.end(kernel)
            if let sink = kernels.removeValue(forKey: kernel) {
                sink.yield(.exited(exit))
                sink.finish()
            } else {
                ended = ended.suffix(Self.mostEnded - 1) + [(kernel, exit)]
            }
        case .ending(let limit, let left):
            if limit == .lifetime { end = BootClock.now + left }
            for sink in kernels.values { sink.yield(.ending(limit, left)) }
        default: break
        }
    }

    private func linkEnded(_ lost: GateLink) {
        guard link === lost else { return }
        link = nil
        // Without kernels there is nothing to be found again; who comes next starts anew.
        if isClosing || kernels.isEmpty { return loseAll(Refusal(.gateLost, container.name)) }
        shortLives = linkedAt.duration(to: .now) < Tuning.linkIsStable ? shortLives + 1 : 0
        lookAgain(Array(Tuning.rejoinPauses.dropFirst(shortLives)))
    }

    func lose(_ kernel: String, _ refusal: Refusal) {
        running.remove(kernel)
        use.end(kernel)
        guard let sink = kernels.removeValue(forKey: kernel) else { return }
        sink.yield(.lost(refusal))
        sink.finish()
    }

    func loseAll(_ refusal: Refusal) {
        isClosing = true
        obstacle = nil
        for kernel in kernels.keys { lose(kernel, refusal) }
        Task { await streams.close() }
    }

    /// Whether a kernel may still be started here. A gate whose link was lost is waited for.
    package func isOpen() async -> Bool {
        await untilLookedFor()
        // Whoever asked is about to bring a kernel.
        idleSince = .now
        return !isClosing
    }

    /// What is known of it, its container and the engine.
    package var sight: GateSight {
        get async {
            var sight = await watch.sight
            sight.pid = Int32(clamping: welcome.pid)
            // Where it was found and said nothing, it is one that is silent.
            sight.isJoining = link == nil && obstacle?.code != ErrorCode.gateSilent.rawValue
            return sight
        }
    }

    /// Nothing while the gate is joined again.
    var presentLink: GateLink? { link }

    /// For people: what the link is doing now. Nothing of one that is closed, which is as good as gone.
    package var state: String? { isClosing ? nil : link == nil ? "joining" : "open" }

    private func liveLink() async throws(Refusal) -> GateLink {
        await untilLookedFor()
        guard let link else { throw obstacle ?? Refusal(.gateLost, container.name) }
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
            if let end { sink.yield(.ending(.lifetime, max(1, end - BootClock.now))) }
            Task { await watch.begin(self) }
        }
        return stream
    }

    /// Nobody listens to it any more.
    package func forget(_ kernel: String) async {
        kernels.removeValue(forKey: kernel)?.finish()
        running.remove(kernel)
        use.end(kernel)
        idleSince = .now
        await streams.setAgent(of: kernel, to: nil)
    }

    /// By this relay it is seen when a kernel is used.
    func follow(_ kernel: String, by relay: Relay) { if kernels[kernel] != nil { use.begin(kernel, relay) } }

    /// How long none of its kernels has been used.
    var idleTime: Int64? { use.idleTime }

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

    /// Where a tunnel to a kernel begins, as libzmq connects to it; nothing where its gate knows no streams.
    package func openTunnel(to kernel: String) async throws(RelayError) -> String? {
        guard !welcome.streams.isNone else { return nil }
        return try await streams.openTunnel(for: kernel, in: folder)
    }

    /// A kernel goes another way, or none any more.
    package func closeTunnel(to kernel: String) async { await streams.closeTunnel(of: kernel) }

    /// Leads a kernel's programs to the ssh agent at this path of the host, as long as it lives.
    package func leadToAgent(_ kernel: String, at path: String) async {
        await streams.setAgent(of: kernel, to: path)
    }

    /// Ends the gate with all its kernels.
    package func stop(grace: Duration) async {
        isClosing = true
        let milliseconds = Int64(grace / .milliseconds(1))
        guard let link else { return }
        _ = try? await link.ask(within: grace + Tuning.gateEnds) {
            .stop(request: $0, graceMilliseconds: milliseconds)
        }
        await streams.close()
        await link.close()
    }

    /// Lets go of the gate; it and its kernels live on, for the relayd that comes next.
    package func leave() async {
        isClosing = true
        guard let link else { return }
        await streams.close()
        _ = try? await link.ask(within: Tuning.gateLeaves) { .leave(request: $0) }
        await link.close()
    }
}
