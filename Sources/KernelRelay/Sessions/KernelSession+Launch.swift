import Glibc
import Host
import RelayLink

/// One attempt to launch: its steps, one after the other, and the kernel that comes of it.
extension KernelSession {
    /// Binds the notebook's five ports. The shim before may have been killed a moment ago, and its relay be on
    /// its way out.
    func open() async throws(Refusal) {
        phases.begin(.bind)
        let notebook = try await refusing { () async throws(RelayError) in
            try ConnectionInfo(contentsOf: launch.connectionFile)
        }
        front = notebook
        var options = RelayOptions()
        options.routingName = routingName
        options.interrupt = .init(launch.interrupt)
        options.onInterrupt = { [signalSink] in signalSink.yield(SIGINT) }
        options.onEvent = { [eventSink] in eventSink.yield($0) }
        relay = try await bind(notebook, options)
        if ending != nil { throw Self.toldToEnd }
    }

    static let toldToEnd = Refusal(.kernelStart, "it was told to end before it had begun")

    private func bind(_ notebook: ConnectionInfo, _ given: RelayOptions) async throws(Refusal) -> Relay {
        let deadline = ContinuousClock.now + Tuning.portPatience
        while true {
            var options = given
            // Better some than none: two of them are enough to say what is the matter.
            options.bindsWhatItCan = launch.onFailure == .kernel && ContinuousClock.now >= deadline
            let wanted = options
            do throws(RelayError) {
                let relay = try await offload("kr-bind") {
                    Result { () throws(RelayError) in try Relay(front: notebook, options: wanted) }
                }
                lacksPorts = wanted.bindsWhatItCan
                return relay
            } catch {
                guard error.code == .portInUse, !wanted.bindsWhatItCan, ending == nil,
                    launch.onFailure == .kernel || ContinuousClock.now < deadline
                else { throw Refusal(error) }
            }
            try? await Task.sleep(for: Tuning.portRetry)
        }
    }

    /// Everything from the container to a kernel that answers, and then its life up to its end; nothing when it was
    /// handed over.
    func attempt(_ request: Int64) async throws(Refusal) -> GateReport.Exit? {
        let limit = LaunchLimit(.milliseconds(launch.timeoutMilliseconds))
        self.limit = limit
        let alarm = Task {
            try? await Task.sleep(until: limit.deadline)
            if !Task.isCancelled { await self.timeIsUp(limit) }
        }
        defer {
            alarm.cancel()
            self.limit = nil
        }
        try await bindRest()
        if keptContainer == nil, gates.drain?.isSet == true {
            throw Refusal(.relaydDraining, "it lets its kernels finish")
        }
        try await settle(limit)
        let container = try await place(limit)
        self.container = container.name
        facts.note(container)
        do throws(RelayError) { _ = try container.mustRun() } catch { throw ofOwnContainer(Refusal(error)) }
        phases.begin(.gate)
        let gate = try await gate(container, limit)
        self.gate = gate
        phases.begin(.spawn)
        try drawHostPorts()
        let events = await gate.events(of: kernel)
        if let relay { await gate.follow(kernel, by: relay) }
        mayRun = true
        try await leadToAgent(gate)
        let isKept = keptContainer != nil
        let place = try await limit.step { () async throws(Refusal) in
            try await isKept ? self.find(at: gate) : self.spawn(at: gate, in: container)
        }
        isLaunched = true
        home = container.id
        gates.roster.add(
            id, in: container.id, for: launch.session, file: launch.connectionFile)
        if !isKept { started = BootClock.now }
        shim.send(
            ControlReport.launched(
                request: request,
                .init(
                    kernel: kernel, key: key.text, containerID: container.id, relay: routingName,
                    container: launch.project == nil ? nil : asked.container,
                    user: launch.project == nil ? nil : asked.user, started: started,
                    hostPorts: launch.transport == .tcp ? hostPorts?.ways ?? [] : [])))
        Log.note(
            "kernel started",
            ["kernel": id, "attempt": kernel, "container": container.name, "notebook": launch.session ?? ""])
        passOnEarlySignals()
        phases.begin(.route)
        if let place { Task { await self.connect(place, gate, container, limit) } }
        return try await attend(events)
    }

    /// What was taken when the session began may be free by now.
    private func bindRest() async throws(Refusal) {
        guard lacksPorts, let relay else { return }
        phases.begin(.bind)
        try await refusing { () async throws(RelayError) in
            try await offload("kr-bind") { Result { () throws(RelayError) in try relay.bindRest() } }
        }
        lacksPorts = false
    }

    private func gate(_ container: Container, _ limit: LaunchLimit) async throws(Refusal) -> GateSession {
        do throws(Refusal) {
            return try await openGate(container, limit)
        } catch {
            throw ofOwnContainer(error)
        }
    }

    private func openGate(_ container: Container, _ limit: LaunchLimit) async throws(Refusal) -> GateSession {
        let (gates, launch, engine) = (gates, asked, engine)
        return try await limit.step { () async throws(Refusal) in
            let gate = try await gates.gate(
                engine: engine, container: container, user: launch.user,
                ports: LaunchOrder(launch: launch, container: container).ports)
            // Nobody waits for it any more; it is not to stay for ever.
            if limit.isGivenUp { await gates.kernelEnded(at: gate) }
            return gate
        }
    }

    private func order(in container: Container) -> LaunchOrder {
        LaunchOrder(launch: asked, container: container, hostPorts: hostPorts)
    }

    /// The agent of whoever started Jupyter, for a kernel that is to have it.
    private func leadToAgent(_ gate: GateSession) async throws(Refusal) {
        guard let path = launch.sshAgent else { return }
        // A kernel that runs is worth more than its agent, which may come back.
        if keptContainer == nil {
            guard let descriptor = try? UnixStream.connect(to: path, waiting: false) else {
                throw Refusal(.agentUnreachable, RelayLink.printable(path))
            }
            close(descriptor)
            if await gate.welcome.streams.isNone { throw Refusal(.gateOld, container) }
        }
        await gate.leadToAgent(kernel, at: path)
    }

    /// Starts the kernel, and says where its connection file is.
    private func spawn(at gate: GateSession, in container: Container) async throws(Refusal) -> KernelPlace? {
        var refusal = Refusal(.command, "")
        for request in try order(in: container).spawns(of: kernel, key: key) {
            if Task.isCancelled { throw Self.toldToEnd }
            do throws(Refusal) {
                let file = try await spawn(request, at: gate, in: container)
                return .init(connectionFile: file, transport: launch.transport)
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
        // Given up meanwhile, this step says nothing of the next attempt's kernel.
        if !Task.isCancelled { mayRun = false }
        throw refusal
    }

    /// Where the container is full it is tried for a while: a kernel that is being restarted may be on its way out.
    private func spawn(
        _ request: GateRequest.Launch, at gate: GateSession, in container: Container
    ) async throws(Refusal) -> String {
        let deadline = ContinuousClock.now + Tuning.placePatience
        while true {
            do throws(Refusal) { return try await gate.spawn(request) } catch {
                guard error.isGate(.full) else { throw error }
                if Task.isCancelled || ContinuousClock.now >= deadline {
                    throw Refusal(.containerFull, gates.roster.text(of: container))
                }
            }
            try? await Task.sleep(for: Tuning.placeRetry)
        }
    }

    /// A kernel that runs already; nothing when it has ended meanwhile, which its events tell.
    private func find(at gate: GateSession) async throws(Refusal) -> KernelPlace? {
        guard let known = await gate.claim(kernel) else {
            if !Task.isCancelled { mayRun = false }
            throw Refusal(.gateLost, "its gate is another now, and knows nothing of the kernel")
        }
        if known.state != .running { return nil }
        return .init(connectionFile: known.connectionFile, transport: known.transport)
    }

    /// Looks for a way to the kernel, and gives the relay the best.
    private func connect(
        _ place: KernelPlace, _ gate: GateSession, _ container: Container, _ limit: LaunchLimit
    ) async {
        guard self.limit === limit else { return }
        do throws(RelayError) {
            let search = try RouteSearch()
            self.search = search
            // There may be another by then, of the next attempt.
            defer { if self.search === search { self.search = nil } }
            let kernel = kernel
            let routes = try await routes(to: place, gate, container)
            let best = try await search.best(of: routes, in: container.name, until: limit.deadline)
            if best?.route != .tunnel { await gate.closeTunnel(to: kernel) }
            guard let best, state == .starting, self.limit === limit else { return }
            phases.begin(.connect)
            var address = best.address
            if launch.debugPaths == .host { address.debugFolders = container.folders.withRealPaths }
            try relay?.connect(to: address, as: routingName)
            route = best.route
            presence = best.route == .line ? KernelPresence(at: place, in: container) : nil
            // What is mapped shares its inside ports with nobody.
            if hostPorts != nil, best.route == .published { HostCommandPorts.release(kernel) }
            state = .running
            noteInterfaces(place)
            Log.note("kernel reached", ["kernel": id, "attempt": kernel, "route": best.route.rawValue])
        } catch {
            // A gate shows nobody to a kernel that has ended, and tells of the end when its whole tree has.
            guard self.limit === limit, await gate.isRunning(kernel) else { return }
            await giveUp(Refusal(error))
        }
    }

    private func routes(
        to place: KernelPlace, _ gate: GateSession, _ container: Container
    ) async throws(RelayError) -> [KernelRoutes.Candidate] {
        if let hostPorts, place.transport == .tcp {
            return HostRoutes.candidates(launch.route, to: hostPorts.ways, key: key)
        }
        let ports = await gate.welcome.ports
        let routes = KernelRoutes.candidates(
            launch.route, to: place, in: container, gatePorts: ports, tunnel: try await tunnel(by: gate),
            key: key, credentials: GateCredentials(kernel: kernel, token: gate.token))
        if routes.isEmpty {
            let asked = order(in: container).ports
            throw KernelRoutes.absence(of: launch.route, in: container, asked: asked, gatePorts: ports)
        }
        return routes
    }

    /// Where a tunnel to the kernel begins. Where none can be opened others may lead there.
    private func tunnel(by gate: GateSession) async throws(RelayError) -> String? {
        guard launch.route.mayBeTunnel else { return nil }
        do throws(RelayError) {
            return try await gate.openTunnel(to: kernel)
        } catch {
            if launch.route == .tunnel { throw error }
            Log.note("no tunnel", ["kernel": id, "code": error.code.rawValue, "message": error.context])
            return nil
        }
    }

    /// Passes its output on until it ends.
    private func attend(_ events: AsyncStream<GateSession.Event>) async throws(Refusal) -> GateReport.Exit? {
        for await event in events {
            switch event {
            case .output(let stream, let data): passOn(stream, data)
            case .exited(let exit):
                mayRun = false
                exitCause = exit.cause
                if let refusal { throw refusal }
                return exit
            case .lost(let refusal):
                mayRun = false
                throw refusal
            case .ending(let limit, let left): containerEnds(limit, in: left)
            }
        }
        if let refusal { throw refusal }
        return nil
    }

    // MARK: - What comes in between

    func reached() {
        guard isLaunched, state == .running, phases.total == nil else { return }
        phases.end()
        watchLifetime(isResumed: keptContainer != nil)
        if let end = containerEnd { containerEnds(.lifetime, in: max(1, end - BootClock.now)) }
        keptContainer = nil
        aftermath.wasReached = true
        hasHadKernel = true
        reachedAt = .now
    }

    private func timeIsUp(_ limit: LaunchLimit) async {
        // The search for a route ends at the same moment, and can say more.
        if search != nil { try? await Task.sleep(for: Tuning.searchEnds) }
        guard self.limit === limit, phases.total == nil else { return }
        let seconds = launch.timeoutMilliseconds / 1000
        let place = phases.current.map { ", it stopped at \($0.rawValue)" } ?? ""
        await giveUp(Refusal(.launchTimeout, "\(seconds) s\(place)"))
    }

    /// The present attempt is to end; what it has started ends with it.
    func giveUp(_ reason: Refusal) async {
        limit?.giveUp(reason)
        search?.cancel()
        guard isLaunched, phases.total == nil, let gate, refusal == nil else { return }
        refusal = reason
        // One that ran before this relayd did is left alone: its variables are worth more than an attempt.
        if keptContainer != nil { return await gate.forget(kernel) }
        await endKernel(at: gate, grace: grace)
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
