import RelayLink

/// What has become of the container that a kernel was in: compose makes one anew under another id, and so does whoever
/// removes one and runs another of its name.
extension KernelSession {
    private var isByLabel: Bool { (try? ContainerReference(asked.container))?.isByLabel ?? false }

    /// The container that is there now in place of the one that the kernel was in; nothing where that is the same one,
    /// or none.
    private func successor() async -> LaunchFacts.Successor? {
        guard let home, let found = try? await engine.container(asked.container), found.id != home else {
            return nil
        }
        return .init(name: found.name, id: found.id, formerID: home, isUp: found.isUp)
    }

    /// The same, waited for a little where the container has ended just now: between that and its successor's start compose
    /// takes a second or two, and a cell that waits should be told the whole of it.
    func awaitSuccessor(after cause: Explanation.Cause) async -> LaunchFacts.Successor? {
        let deadline = ContinuousClock.now + Tuning.successorComes
        while ending == nil {
            if let found = await successor() {
                // Told once: the next kernel has another home.
                home = nil
                return found
            }
            guard isByLabel, home != nil, cause.isEndOfContainer, ContinuousClock.now < deadline else {
                break
            }
            try? await Task.sleep(for: Tuning.successorLook)
        }
        return nil
    }

    /// As long as nobody wants a kernel the reason that is given for its end is kept true.
    func lookOut(for cause: Explanation.Cause) {
        guard isByLabel, home != nil, cause.isLossOfContainer else { return }
        let attempt = kernel
        lookout = Task {
            for pause in Tuning.successorPauses {
                try? await Task.sleep(for: pause)
                guard !Task.isCancelled else { return }
                let found = await self.successor()
                guard !Task.isCancelled, state == .failed, kernel == attempt else { return }
                guard let found else { continue }
                home = nil
                facts.successor = found
                let explanation = Explanation(cause, facts)
                trouble = .init(explanation)
                Log.note(
                    "container made anew",
                    ["kernel": id, "container": found.name, "container_id": String(found.id.prefix(12))])
                return speak(explanation, again: true)
            }
        }
    }
}

extension Explanation.Cause {
    /// The container that a kernel was in ended, or is not there any more.
    var isLossOfContainer: Bool { isOne(of: [.containerGone, .containerMissing, .containerStopped]) }

    /// It ended under a kernel that was there a moment ago.
    var isEndOfContainer: Bool { isOne(of: [.containerGone]) }

    private func isOne(of codes: [ErrorCode]) -> Bool {
        guard case .refused(let refusal) = self else { return false }
        return codes.contains { $0.rawValue == refusal.code }
    }
}
