import RelayLink

extension Refusal {
    /// The gate is gone for certain: its container is, or runs without it.
    fileprivate var isFinal: Bool {
        [ErrorCode.containerMissing, .containerStopped, .gateLost].contains { $0.rawValue == code }
    }

    fileprivate var isOfContainer: Bool { isFinal && code != ErrorCode.gateLost.rawValue }

    /// Nobody could look whether the gate is there, or it cannot speak: its kernels may be well.
    var hidesGate: Bool {
        [
            ErrorCode.containerPaused, .engineMissing, .engineUnreachable, .engineDenied, .engineFailed,
            .engineTimeout, .gateSilent,
        ].contains { $0.rawValue == code }
    }
}

/// What becomes of a gate whose link was lost.
///
/// An engine that is down for an hour takes no kernel with it: the relay goes on speaking to the kernel by the way that it
/// has, and as long as it does the gate waits to be joined. So what is merely out of sight is looked for as long as it takes, and only what is
/// known to be gone is given up.
extension GateSession {
    /// Looks for the gate so many times, each attempt after those that were asked for before.
    func lookAgain(_ pauses: [Duration]) {
        let before = rejoining
        rejoining = Task {
            await before?.value
            await self.rejoin(pauses)
        }
    }

    /// Whoever needs the link waits for the first attempts; while it is looked for at leisure, a need is a reason to look
    /// at once.
    func untilLookedFor() async {
        guard link == nil else { return }
        if obstacle != nil { lookAgain([.zero]) }
        if let rejoining { await rejoining.value }
    }

    /// Looks for the gate again; the engine itself may be on its way up.
    private func rejoin(_ pauses: [Duration]) async {
        guard link == nil, !isClosing else { return }
        // A gate that hangs up again and again gets fewer attempts each time, and none at last.
        var refusal = Refusal(.gateLost, container.name)
        for pause in pauses where link == nil && !isClosing {
            do throws(Refusal) {
                return try await join()
            } catch {
                refusal = error
                if error.isFinal { break }
            }
            try? await Task.sleep(for: pause)
        }
        if refusal.isOfContainer, !isClosing {
            guard let found = await lookTwice() else { return }
            refusal = found
        }
        guard link == nil, !isClosing else { return }
        guard refusal.hidesGate else { return loseAll(refusal) }
        let isNew = obstacle == nil
        obstacle = refusal
        guard isNew else { return }
        Log.note("gate out of sight", ["container": container.name, "code": refusal.code])
        Task { await self.lookAtLeisure() }
    }

    private func lookAtLeisure() async {
        while obstacle != nil, !isClosing {
            try? await Task.sleep(for: Tuning.rejoinLater)
            await untilLookedFor()
        }
    }

    private func join() async throws(Refusal) {
        let opening = GateSearch(
            engine: engine, container: container, user: user, name: name, token: token, streams: streams)
        let (gate, welcome) = try await opening.rejoin()
        if isClosing { return gate.channel.close() }
        self.welcome = welcome
        await listen(to: gate)
        // What the gate does not know has ended longer ago than it remembers.
        let known = Set(welcome.kernels.map(\.kernel))
        let refusal = Refusal(.gateLost, container.name)
        for kernel in running where !known.contains(kernel) { lose(kernel, refusal) }
        endUnclaimed()
    }

    /// What has become of a container that has ended by the engine's word. One that is being removed is stopped first, so that
    /// a moment later more is known; and an engine that is itself going down is not believed. Nothing where the gate is there
    /// after all.
    private func lookTwice() async -> Refusal? {
        try? await Task.sleep(for: Tuning.containerSettles)
        var refusal = Refusal(.containerGone, container.name)
        do throws(Refusal) {
            let seen = try await refusing { () async throws(RelayError) in
                try await engine.container(container.id)
            }
            switch seen.state {
            case .running:
                try await join()
                return nil
            case .paused: return Refusal(.containerPaused, container.name)
            case .removing: refusal.finding = ErrorCode.containerMissing.rawValue
            default: refusal.finding = ErrorCode.containerStopped.rawValue
            }
        } catch {
            if error.hidesGate { return error }
            // Of one that runs again its end is what is to be told, not that the gate in it is gone.
            let isMissing = error.code == ErrorCode.containerMissing.rawValue
            refusal.finding = (isMissing ? ErrorCode.containerMissing : .containerStopped).rawValue
        }
        return refusal
    }

    /// Kernels that the gate has and nobody here: an earlier relayd was killed while it started them, or their shims were
    /// while there was none, or while the gate was out of sight. Shims that live have claimed theirs in the time that this
    /// waits.
    func endUnclaimed() {
        let strange = Set(welcome.kernels.filter { $0.state == .running }.map(\.kernel)).subtracting(
            kernels.keys)
        for kernel in strange {
            Task {
                repeat { try? await Task.sleep(for: Tuning.claimWithin) } while sought.contains(kernel)
                if kernels[kernel] != nil || ended.contains(where: { $0.kernel == kernel }) { return }
                Log.note("kernel unclaimed", ["kernel": kernel, "container": container.name])
                try? await self.end(kernel, grace: .seconds(2))
            }
        }
    }
}
