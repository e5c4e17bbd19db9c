import Glibc
import RelayLink

/// One kernel of one shim, from the moment it is asked for until nothing of it is left: the relay in front, the
/// gate's process behind, and what the shim is told.
///
/// The front is bound before anything slow happens, and belongs to nobody again before the shim hears of the
/// end: at a restart Jupyter gives the next shim the same five ports.
///
/// Concurrency: an actor. `run` is its whole life; signals and the shim's end come in between.
package actor KernelSession {
    package enum State: String, Sendable {
        case starting, running, ending, ended
    }

    /// How a session ends when it does not end by itself.
    private enum Ending: Equatable {
        /// The shim is gone: there is nobody to tell.
        case abandoned
        /// Whoever asked, the kernel is to end within this time.
        case asked(grace: Duration)
        /// relayd ends, and the kernel does not.
        case handedOver
    }

    package nonisolated let id: String
    package nonisolated let launch: ControlRequest.Launch
    package nonisolated let began = ContinuousClock.now
    private nonisolated let shim: FrameChannel
    private nonisolated let gates: GatePool
    /// On their way to the kernel. A link that is lost or a gate that is stopped must not hold up who sends them.
    private nonisolated let signals: AsyncStream<Int32>
    private nonisolated let signalSink: AsyncStream<Int32>.Continuation
    private nonisolated let key: SigningKey
    private nonisolated let routingName: String

    package private(set) var state = State.starting
    package private(set) var route: KernelRoute?
    package private(set) var container: String
    private(set) var front: ConnectionInfo?
    private(set) var relay: Relay?
    private var gate: GateSession?
    /// The gate has been told to start it, so that it must be told to end it.
    private var mayRun = false
    /// The shim has been told.
    private var isLaunched = false
    private var ending: Ending?
    private var early: [Int32] = []
    private var search: RouteSearch?
    private var droppedOutput = 0

    /// - Parameter keepsake: of a kernel that an earlier relayd started.
    package init(
        _ launch: ControlRequest.Launch, keepsake: ControlRequest.Keepsake?, shim: FrameChannel,
        gates: GatePool
    ) {
        self.launch = launch
        self.shim = shim
        self.gates = gates
        (signals, signalSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(64))
        id = keepsake?.kernel ?? String(SigningKey.random().text.prefix(12))
        key = keepsake.map { SigningKey($0.key) } ?? .random()
        container = launch.container
        routingName = keepsake?.relay ?? SigningKey.random().text
        keptContainer = keepsake?.containerID
    }

    private let keptContainer: String?

    // MARK: - The whole life

    /// Starts the kernel, or takes it up again, and stays with it until its end has been told.
    package func run(request: Int64) async {
        let outcome: ControlReport?
        let passing = Task { for await number in signals { await self.pass(number) } }
        defer {
            signalSink.finish()
            passing.cancel()
        }
        do throws(Refusal) {
            let exit = try await live(request)
            outcome = exit.map { .exited($0) }
        } catch {
            Log.note("kernel failed", ["kernel": id, "code": error.code, "message": error.message])
            outcome = error.report(for: request)
        }
        await finish()
        state = .ended
        // The shim of a kernel that lives on sees the end of relayd itself, when everything is free for the next.
        if ending == .handedOver { return }
        noteDropped()
        if let outcome, ending != .abandoned { shim.send(outcome) }
        await shim.flush(within: Tuning.farewellToShim)
        shim.close()
    }

    /// The kernel's end; nothing when it was handed over.
    private func live(_ request: Int64) async throws(Refusal) -> GateReport.Exit? {
        let notebook = try await refusing { () async throws(RelayError) in
            try ConnectionInfo(contentsOf: launch.connectionFile)
        }
        front = notebook
        relay = try await bind(notebook)
        try stopIfAsked()
        let engine = Engine(.init(command: launch.engine, environment: launch.engineEnvironment))
        let container = try await refusing { () async throws(RelayError) in
            try await engine.runningContainer(keptContainer ?? launch.container)
        }
        self.container = container.name
        let gate = try await gates.gate(
            engine: engine, container: container, user: launch.user,
            ports: LaunchOrder(launch: launch, container: container).ports)
        self.gate = gate
        try stopIfAsked()
        let events = await gate.events(of: id)
        mayRun = true
        let place = try await keptContainer == nil ? spawn(at: gate, in: container) : find(at: gate)
        // The shim may have gone meanwhile.
        try stopIfAsked()
        isLaunched = true
        shim.send(
            ControlReport.launched(
                request: request,
                .init(kernel: id, key: key.text, containerID: container.id, relay: routingName)))
        Log.note(
            "kernel started", ["kernel": id, "container": container.name, "notebook": launch.session ?? ""])
        passOnEarlySignals()
        if let place { Task { await self.connect(place, gate, container) } }
        return try await attend(events)
    }

    /// Binds the notebook's five ports. The shim before may have been killed a moment ago, and its relay be on
    /// its way out.
    private func bind(_ notebook: ConnectionInfo) async throws(Refusal) -> Relay {
        var options = RelayOptions()
        options.routingName = routingName
        options.interrupt = .init(launch.interrupt)
        options.onInterrupt = { [signalSink] in signalSink.yield(SIGINT) }
        let wanted = options
        let deadline = ContinuousClock.now + Tuning.portPatience
        while true {
            do throws(RelayError) {
                return try await offload("kr-bind") {
                    Result { () throws(RelayError) in try Relay(front: notebook, options: wanted) }
                }
            } catch {
                guard error.code == .portInUse, ContinuousClock.now < deadline, ending == nil else {
                    throw Refusal(error)
                }
            }
            try? await Task.sleep(for: Tuning.portRetry)
        }
    }

    // MARK: - The kernel

    /// Starts the kernel, and says where its connection file is.
    private func spawn(at gate: GateSession, in container: Container) async throws(Refusal) -> KernelPlace {
        var refusal = Refusal(.command, "")
        for request in try LaunchOrder(launch: launch, container: container).spawns(of: id, key: key) {
            do throws(Refusal) {
                return .init(connectionFile: try await gate.spawn(request), transport: launch.transport)
            } catch {
                refusal = error
                // A link that was lost may have been lost behind the request.
                if error.code == ErrorCode.gateLost.rawValue || error.code == ErrorCode.gateSilent.rawValue {
                    throw error
                }
                // Of two names of python one may be missing.
                if !error.isGate(.commandNotFound) { break }
            }
        }
        mayRun = false
        throw refusal
    }

    /// A kernel that runs already; nothing when it has ended meanwhile, which its events tell.
    private func find(at gate: GateSession) async throws(Refusal) -> KernelPlace? {
        guard let kernel = await gate.claim(id) else {
            mayRun = false
            throw Refusal(.gateLost, "its gate is another now, and knows nothing of the kernel")
        }
        if kernel.state != .running { return nil }
        return .init(connectionFile: kernel.connectionFile, transport: kernel.transport)
    }

    /// Looks for a way to the kernel, and gives the relay the best.
    private func connect(_ place: KernelPlace, _ gate: GateSession, _ container: Container) async {
        do throws(RelayError) {
            let search = try RouteSearch()
            self.search = search
            defer { self.search = nil }
            let routes = KernelRoutes.candidates(
                launch.route, to: place, in: container, gatePorts: await gate.welcome.ports, key: key,
                credentials: GateCredentials(kernel: id, token: gate.token))
            guard let best = try await search.best(of: routes, in: container.name), state == .starting else {
                return
            }
            try relay?.connect(to: best.address)
            route = best.route
            state = .running
            Log.note("kernel reached", ["kernel": id, "route": best.route.rawValue])
        } catch {
            // A gate shows nobody to a kernel that has ended, and tells of the end when its whole tree has.
            guard await gate.isRunning(id) else { return }
            refusal = Refusal(error)
            await end(.asked(grace: Tuning.abandonedGrace))
        }
    }

    /// Why a kernel that had been started was ended from here.
    private var refusal: Refusal?

    /// Passes its output on until it ends.
    private func attend(_ events: AsyncStream<GateSession.Event>) async throws(Refusal) -> GateReport.Exit? {
        for await event in events {
            switch event {
            case .output(let stream, let data): passOn(stream, data)
            case .exited(let exit):
                mayRun = false
                if let refusal { throw refusal }
                return exit
            case .lost(let refusal):
                mayRun = false
                throw refusal
            }
        }
        if let refusal { throw refusal }
        return nil
    }

    /// What the kernel wrote to its stdout and stderr. A shim that does not read must not fill relayd's memory, and
    /// the gate's link, which others share, must not wait for it.
    private func passOn(_ stream: GateReport.OutputStream, _ data: [UInt8]) {
        if shim.pending > Tuning.shimBacklog {
            droppedOutput += data.count
            return
        }
        noteDropped()
        shim.send(ControlReport.output(stream: stream, data: data))
    }

    private func noteDropped() {
        guard droppedOutput > 0 else { return }
        let note = "\n[relayd: \(droppedOutput) bytes were dropped here: nobody read them]\n"
        shim.send(ControlReport.output(stream: .stderr, data: Array(note.utf8)))
        droppedOutput = 0
    }

    // MARK: - What comes in between

    /// A signal from Jupyter, by way of the shim.
    package nonisolated func signal(_ number: Int32) { signalSink.yield(number) }

    private func pass(_ number: Int32) async {
        guard isLaunched, let gate else {
            // Before there is a kernel, what would end it ends the launch.
            if [SIGTERM, SIGHUP, SIGQUIT, SIGKILL].contains(number) {
                await end(.asked(grace: .zero))
            } else if early.count < 16 {
                early.append(number)
            }
            return
        }
        await gate.signal(id, number)
    }

    private func passOnEarlySignals() {
        for number in early { signalSink.yield(number) }
        early = []
    }

    /// The shim has gone: the kernel ends, and the ports are free at once.
    package func abandon() async { await end(.abandoned) }

    /// Ends the kernel; the shim hears of it as of any end.
    package func end(grace: Duration) async { await end(.asked(grace: grace)) }

    /// Lets go of everything but the kernel, once what a client has just sent is through.
    package func handOver() async {
        let limit = ContinuousClock.now + Tuning.handOverAtMost
        var passed = -1
        while let relay, ContinuousClock.now < limit {
            let now = Channel.allCases.reduce(0) { $0 + relay.statistics[$1, .toKernel].messages }
            if now == passed { break }
            passed = now
            try? await Task.sleep(for: Tuning.handOverSilence)
        }
        await end(.handedOver)
    }

    private func end(_ how: Ending) async {
        guard ending == nil || how == .abandoned, state != .ended else { return }
        ending = how
        state = .ending
        search?.cancel()
        if how == .abandoned { await stopRelay(listening: .zero) }
        guard isLaunched, let gate else { return }
        switch how {
        case .abandoned: await endKernel(at: gate, grace: Tuning.abandonedGrace)
        case .asked(let grace): await endKernel(at: gate, grace: grace)
        case .handedOver: await gate.forget(id)
        }
    }

    /// Its events tell of the end. Where the gate does not, nothing will: the session then ends without.
    private func endKernel(at gate: GateSession, grace: Duration) async {
        do throws(Refusal) {
            try await gate.end(id, grace: grace)
        } catch {
            if refusal == nil { refusal = error }
            mayRun = false
            await gate.forget(id)
        }
    }

    private func stopIfAsked() throws(Refusal) {
        if ending != nil { throw Refusal(.kernelStart, "it was told to end before it had begun") }
    }

    // MARK: - The end

    private func finish() async {
        state = .ending
        search?.cancel()
        // A launch that came to nothing half-way. Of a kernel that is handed over its shim tells the next relayd.
        let isKept = ending == .handedOver && (isLaunched || keptContainer != nil)
        if mayRun, !isKept, let gate {
            await endKernel(at: gate, grace: Tuning.abandonedGrace)
        }
        await stopRelay(listening: Tuning.lastWordsOfKernel)
        if let gate {
            await gate.forget(id)
            await gates.kernelEnded(at: gate)
        }
        Log.note(ending == .handedOver ? "kernel handed over" : "kernel ended", ["kernel": id])
    }

    private func stopRelay(listening limit: Duration) async {
        guard let relay = relay.take() else { return }
        let unheard = ending == .handedOver ? .zero : limit
        _ = try? await offload("kr-stop") { .success(relay.stop(listening: unheard)) }
    }
}

extension InterruptPolicy {
    init(_ interrupt: ControlRequest.Launch.Interrupt) {
        switch interrupt {
        case .auto: self = .auto
        case .signal: self = .signal
        case .message: self = .message
        }
    }
}
