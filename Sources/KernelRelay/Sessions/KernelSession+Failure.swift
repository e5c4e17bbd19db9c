import Host
import RelayLink

/// What becomes of a session without a kernel: it says why, and waits for a cell that wants another.
extension KernelSession {
    func explain(_ cause: Explanation.Cause) async -> Explanation {
        facts.hasRun = aftermath.wasReached
        facts.mayLive = keptContainer != nil
        if case .ended(let exit) = cause, exit.oomKilled { await noteLimits() }
        facts.reached = phases.lines
        if launch.place == launch.container, cause.isLossOfContainer {
            facts.successor = await awaitSuccessor(after: cause)
        }
        if case .refused(let refusal) = cause, refusal.code == ErrorCode.containerMissing.rawValue,
            facts.successor == nil, let reference = try? ContainerReference(asked.container)
        {
            facts.names = await engine.names(like: reference)
        }
        if case .refused(let refusal) = cause, refusal.code == ErrorCode.imageMissing.rawValue {
            facts.names = await engine.imageNames()
        }
        let explanation = Explanation(cause, facts)
        Log.note(
            "kernel failed",
            ["kernel": id, "attempt": kernel, "code": explanation.code, "message": explanation.text])
        return explanation
    }

    /// A limit may have been set since the kernel was started.
    private func noteLimits() async {
        guard let home, let container = try? await engine.container(home) else { return }
        (facts.memoryLimit, facts.swapLimit) = (container.memoryLimit, container.swapLimit)
    }

    /// Whoever waits for a cell's answer gets the reason.
    func speak(_ explanation: Explanation, again: Bool = false) {
        var speech = Speech(
            name: explanation.code, text: explanation.text, traceback: explanation.traceback,
            isNews: aftermath.wasReached && keptContainer == nil)
        speech.isRenewal = again
        relay?.speak(speech)
    }

    /// A cell that waits for a kernel is answered although the session ends.
    func sayGoodbye() {
        if case .stopped = ending, phases.total != nil, let refusal {
            return speak(Explanation(.refused(refusal), facts))
        }
        guard ending != nil, isRetry, phases.total == nil else { return }
        speak(Explanation(.refused(Self.toldToEnd), facts))
    }

    /// Nothing of the attempt stays, and the next one is another kernel's; unless this one may live.
    func fail(_ explanation: Explanation) async {
        state = .failed
        isLaunched = false
        early = []
        lifeguard?.cancel()
        gates.roster.remove(id)
        containerEnd = nil
        search?.cancel()
        search = nil
        shim.send(
            ControlReport.trouble(
                code: explanation.code, message: explanation.text, remedy: explanation.remedy))
        if mayRun, keptContainer == nil, let gate { await endKernel(at: gate, grace: grace) }
        if let gate { await partFrom(gate) }
        HostCommandPorts.release(kernel)
        if keptContainer == nil { await removeContainer() }
        gate = nil
        mayRun = false
        route = nil
        isOnAllInterfaces = false
        presence = nil
        refusal = nil
    }

    /// Returns when a cell waits for a kernel, or the session is to end.
    func untilWanted(after cause: Explanation.Cause) async {
        if !isWanted, ending == nil {
            lookOut(for: cause)
            await withCheckedContinuation { waiter = $0 }
            lookout?.cancel()
        }
        isWanted = false
        guard ending == nil else { return }
        facts = LaunchFacts(launch)
        if keptContainer == nil {
            gates.sought.remove(kernel)
            (kernel, key, routingName) = (Self.newKernel(), .random(), SigningKey.random().text)
            aftermath = Aftermath()
            started = nil
            isResumed = false
        }
        (reachedAt, exitCause) = (nil, nil)
        past.add(Tally(phases))
        phases = LaunchPhases()
        trouble = nil
        isRetry = true
        state = .starting
    }

    func want() {
        isWanted = true
        wake()
    }

    func wake() { waiter.take()?.resume() }
}

extension Explanation.Cause {
    /// Whether a kernel that was to be taken up again may be there still, where nobody could look.
    var leavesKernel: Bool {
        guard case .refused(let refusal) = self else { return false }
        let others: [ErrorCode] = [
            .launchTimeout, .launchInterrupted, .routeNone, .portInUse, .gateOld, .portsForeign,
        ]
        return refusal.hidesGate || others.contains { $0.rawValue == refusal.code }
    }
}

extension Explanation {
    /// What a shim is told that is to end: of a kernel's end as of any, of everything else the code and what mends it.
    func report(of cause: Cause, for request: Int64) -> ControlReport {
        switch cause {
        case .ended(let exit): .exited(exit)
        case .refused: refusal.report(for: request)
        }
    }
}

extension LaunchFacts {
    /// What kernel.json and the caller's environment say.
    init(_ launch: ControlRequest.Launch) {
        self.init(container: launch.place)
        making = launch.making
        isOnHost = launch.hostEnvironment != nil
        endsShim = launch.onFailure == .exit
        client = launch.engine
        namesEngine =
            EngineClient(command: launch.engine, environment: launch.engineEnvironment).namesEngine
        user = launch.user
        program = launch.command.map { (try? CommandWords.read($0))?.first ?? "" }
        route = launch.route == .auto ? nil : launch.route.rawValue
    }

    /// What the engine says of the container.
    mutating func note(_ container: Container) {
        if making != nil { self.container = container.name }
        let isByLabel = (try? ContainerReference(wanted))?.isByLabel ?? false
        // Commands are about the container; who named it knows it by that.
        if isByLabel { self.container = container.name }
        image = container.image
        entrypoint = container.entrypoint.first
        memoryLimit = container.memoryLimit
        swapLimit = container.swapLimit
    }
}
