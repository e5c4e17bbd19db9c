import RelayLink

/// How a session comes to its end, by whoever's doing.
extension KernelSession {
    /// The shim has gone: the kernel ends, and the ports are free at once.
    package func abandon() async { await end(.abandoned) }

    /// Ends the kernel because relayd is to end: whoever has a cell there is told, and so is the shim.
    package func stop(grace: Duration) async { await end(.stopped(grace: grace)) }

    /// Ends the kernel because somebody named it for that. It ends as one that dies: its notebook is told why, and the next
    /// cell but one has a new one. Where its gate cannot do it now the kernel goes on, and whoever asked is told why.
    func endOnRequest(grace: Duration) async throws(Refusal) {
        let (kernel, reason) = (kernel, Refusal(.kernelEnded, id))
        guard ending == nil, refusal == nil || refusal == reason, state == .starting || state == .running
        else {
            throw Refusal(.kernelUnknown, "\(id) has ended already")
        }
        guard isLaunched, let gate else {
            // Of one that an earlier relayd started nothing is known yet that could be ended.
            if keptContainer != nil { throw Refusal(.gateLost, "the kernel \(id) is looked for") }
            return await giveUp(reason)
        }
        refusal = reason
        do throws(Refusal) {
            try await gate.end(kernel, grace: grace)
        } catch {
            // A gate that was asked and is silent does it when it can; one that knows no such kernel tells of its end.
            if error.code != ErrorCode.gateSilent.rawValue, kernel == self.kernel, refusal == reason {
                refusal = nil
            }
            guard error.isGate(.kernelUnknown) else { throw error }
        }
    }

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

    func end(_ how: Ending) async {
        guard ending == nil || how == .abandoned, state != .ended else { return }
        ending = how
        state = .ending
        limit?.giveUp(Self.toldToEnd)
        search?.cancel()
        wake()
        if how == .abandoned { await stopRelay(listening: .zero) }
        guard isLaunched, let gate else { return }
        switch how {
        case .abandoned: await endKernel(at: gate, grace: grace)
        case .asked(let asked): await endKernel(at: gate, grace: asked)
        case .stopped(let asked):
            if refusal == nil { refusal = Refusal(.relaydStopped, container) }
            await endKernel(at: gate, grace: asked)
        case .shutDown: await endKernel(at: gate, grace: .zero)
        case .handedOver: await gate.forget(kernel)
        }
    }

    /// Its events tell of the end. Where the gate does not, nothing will: the session then ends without.
    func endKernel(at gate: GateSession, grace: Duration) async {
        let kernel = kernel
        do throws(Refusal) {
            try await gate.end(kernel, grace: grace)
        } catch {
            // Another attempt may be under way by now.
            guard kernel == self.kernel else { return }
            if refusal == nil { refusal = error }
            mayRun = false
            await gate.forget(kernel)
        }
    }

    func finish() async {
        state = .ending
        lifeguard?.cancel()
        search?.cancel()
        // A launch that came to nothing half-way. Of a kernel that is handed over its shim tells the next relayd.
        let isKept = ending == .handedOver && (isLaunched || keptContainer != nil)
        if mayRun, !isKept, let gate {
            await endKernel(at: gate, grace: grace)
        }
        await stopRelay(listening: Tuning.lastWordsOfKernel)
        gates.sought.remove(kernel)
        gates.roster.remove(id)
        if let gate { await partFrom(gate) }
        HostCommandPorts.release(kernel)
        if !isKept { await removeContainer() }
        Log.note(
            ending == .handedOver ? "kernel handed over" : "kernel ended", ["kernel": id, "attempt": kernel])
    }

    private func stopRelay(listening limit: Duration) async {
        guard let relay = relay.take() else { return }
        parting = relay
        defer {
            past.add(Tally(relay))
            parting = nil
        }
        // Of a kernel that lives on nothing is to be heard; who waits for one is told that it does not come.
        let unheard = ending == .handedOver && (!isRetry || phases.total != nil) ? .zero : limit
        _ = try? await offload("kr-stop") { .success(relay.stop(listening: unheard)) }
    }
}
