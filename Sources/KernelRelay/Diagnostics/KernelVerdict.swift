import Host
import RelayLink

/// What is the matter with a kernel, in one word and one sentence.
package struct KernelVerdict: Sendable, Equatable {
    package enum Word: String, Sendable, CaseIterable {
        case starting, ok, busy, failed, ended
        case notAnswering = "not-answering"
        case kernelDead = "kernel-dead"
        case containerPaused = "container-paused"
        case containerStopped = "container-stopped"
        case containerGone = "container-gone"
        case gateLost = "gate-lost"
        case engineUnreachable = "engine-unreachable"
        case slowClient = "slow-client"
    }

    package var word: Word
    /// For people.
    package var text: String
    /// Of an error catalogue; nothing where nothing is wrong.
    package var code: String?
    /// What to type: it mends what is wrong, or shows what is the matter. Nothing where there is no such command.
    package var command: String?
    /// What to do in words, where it is no command.
    package var advice: String?
    /// When it began, where something tells that; else whoever keeps verdicts knows when it first saw this one.
    package var began: ContinuousClock.Instant?

    package init(
        _ word: Word, _ text: String, code: String? = nil, command: String? = nil, advice: String? = nil,
        began: ContinuousClock.Instant? = nil
    ) {
        self.word = word
        self.text = text
        self.code = code
        self.command = command
        self.advice = advice
        self.began = began
    }

    /// One or the other.
    package var remedy: String? { command ?? advice }
}

extension KernelVerdict.Word {
    /// Of a kernel that lives: ordinary work goes from one of these to the other.
    package var isOrdinary: Bool { [.starting, .ok, .busy].contains(self) }

    /// There is a kernel, or one may be there, and something is in the way.
    package var isTrouble: Bool {
        [.notAnswering, .containerPaused, .gateLost, .engineUnreachable, .slowClient].contains(self)
    }
}

extension KernelVerdict {
    /// One line beside the output of a cell that waits.
    package var remark: Remark {
        guard word.isTrouble else { return .over }
        let what = code.map { "[\($0)] \(text)" } ?? text
        return Remark("\n\(what)\(remedy.map { ". \($0)" } ?? "")\n", trouble: code ?? word.rawValue)
    }

    /// The first that holds of what can be wrong, from the outside inwards: of a kernel in a container that is paused
    /// nothing else is worth saying. It ends nothing and mends nothing.
    package init(_ seen: Observation) {
        if let trouble = seen.trouble {
            self = Self.of(trouble)
            if seen.end != nil, !seen.hasRun { text = "never started: \(trouble.code): \(trouble.text)" }
        } else if let end = seen.end {
            self.init(.ended, end.text(hasRun: seen.hasRun))
        } else if let verdict = Self.behindSilence(seen) ?? Self.ofProcess(seen) {
            self = verdict
        } else if seen.isStarting {
            self.init(.starting, "not reached yet")
        } else {
            self = Self.ofRelay(seen) ?? Self.ofClients(seen) ?? Self.ofWork(seen)
        }
    }

    private static func of(_ trouble: Observation.Trouble) -> KernelVerdict {
        let found = trouble.finding.map(Self.word)
        // Of a container that ended it was found whether it is still there.
        let word = found == .containerStopped ? .containerStopped : Self.word(for: trouble.code)
        return KernelVerdict(
            word, trouble.said, code: trouble.code, command: trouble.command, advice: trouble.advice)
    }

    /// Of what was refused: code and remedy are those that a notebook would be told.
    private init(
        _ word: Word, _ text: String, _ refusal: Refusal, _ seen: Observation,
        began: ContinuousClock.Instant
    ) {
        let explanation = Explanation(.refused(refusal), seen.facts)
        self.init(
            word, text, code: refusal.code, command: explanation.commands.first, advice: explanation.advice,
            began: began)
    }

    /// What a code means for a kernel that has failed or ended.
    package static func word(for code: String) -> Word {
        switch code {
        case "KR-CONTAINER-PAUSED": .containerPaused
        case "KR-CONTAINER-STOPPED", "KR-CONTAINER-IDLE", "KR-CONTAINER-LIFETIME": .containerStopped
        case "KR-CONTAINER-MISSING", "KR-CONTAINER-GONE", "KR-CONTAINER-RECREATED": .containerGone
        case "KR-GATE-LOST", "KR-GATE-SILENT": .gateLost
        case "KR-ENGINE-UNREACHABLE", "KR-ENGINE-DENIED", "KR-ENGINE-MISSING", "KR-ENGINE-TIMEOUT":
            .engineUnreachable
        case "KR-KERNEL-FAILED", "KR-KERNEL-KILLED", "KR-KERNEL-OUT-OF-MEMORY", "KR-KERNEL-IDLE",
            "KR-KERNEL-LIFETIME", "KR-KERNEL-ENDED":
            .kernelDead
        default: .failed
        }
    }

    /// Why a gate does not answer.
    private static func behindSilence(_ seen: Observation) -> KernelVerdict? {
        guard let sight = seen.sight, let since = sight.silentSince else { return nil }
        if case .silent(let error) = sight.engine {
            return KernelVerdict(
                .engineUnreachable, "the engine does not answer: \(error.context)", Refusal(error), seen,
                began: since)
        }
        let name = seen.container
        switch sight.container {
        case .gone:
            var refusal = Refusal(.containerGone, name)
            refusal.finding = ErrorCode.containerMissing.rawValue
            return KernelVerdict(
                .containerGone, "the container \(name) is gone", refusal, seen, began: since)
        case .state(.paused):
            return KernelVerdict(
                .containerPaused, "the container \(name) is paused", code: ErrorCode.containerPaused.rawValue,
                command: seen.command.on("unpause"), began: since)
        case .state(.running):
            // The engine has not been asked yet what has become of it.
            guard sight.isContainerKnown else { return nil }
            // Nothing is to be done to it: it may be well, or another process may have its number by now.
            if sight.isJoining {
                return KernelVerdict(
                    .gateLost, "the link to the gate in \(name) is lost, and looked for again",
                    code: ErrorCode.gateSilent.rawValue, began: since)
            }
            return KernelVerdict(
                .gateLost, "the gate in \(name) does not answer, and the container runs",
                code: ErrorCode.gateSilent.rawValue,
                // One that was stopped goes on, and one that is merely slow does not mind.
                command: sight.pid.map { seen.command.signal("CONT", $0) }
                    ?? (seen.facts.isOnHost ? nil : seen.command.on("stats --no-stream")),
                began: since)
        case .state(let state):
            return KernelVerdict(
                .containerStopped, "the container \(name) \(state.text)",
                Refusal(.containerStopped, name), seen, began: since)
        }
    }

    private static func ofProcess(_ seen: Observation) -> KernelVerdict? {
        guard let process = seen.process?.vitals else { return nil }
        switch process.state {
        // What the gate saw is a second old, and somebody may have let it go on since.
        case .stopped where seen.hasSpokenSince: return nil
        case .stopped:
            return KernelVerdict(
                .notAnswering, "its process is stopped", code: ErrorCode.kernelStopped.rawValue,
                command: seen.command.signal("CONT", Int32(clamping: process.pid)))
        case .zombie, .gone:
            return KernelVerdict(
                .kernelDead, "its process has ended", code: HostErrorCode.kernelFailed.rawValue,
                command: seen.lastWords)
        case .running, .sleeping, .waiting: return nil
        }
    }

    /// Before what the relay says of others: one whose thread is stuck says nothing new.
    private static func ofRelay(_ seen: Observation) -> KernelVerdict? {
        guard let turned = seen.stuckSince else { return nil }
        return KernelVerdict(
            .notAnswering, "the relay's thread is stuck; the kernel may be well",
            code: ErrorCode.relayStuck.rawValue, command: "kill -KILL \(seen.relayd)  # kernels go on",
            began: turned)
    }

    private static func ofClients(_ seen: Observation) -> KernelVerdict? {
        guard let since = seen.pulse?.heldSince, since.duration(to: seen.now) >= Tuning.clientIsSlow else {
            return nil
        }
        let amount = Figures.bytes(seen.heldBytes)
        let waits = seen.isHoldFull ? "; the kernel waits" : ""
        return KernelVerdict(
            .slowClient,
            "\(seen.slowClient?.description ?? "a client") does not read: \(amount) are held for it\(waits)",
            code: ErrorCode.clientSlow.rawValue,
            // Whose program it is, where it runs on this host; else whoever is connected there.
            command: seen.slowClient?.port.map { "ss -tnp 'sport = :\($0) or dport = :\($0)'" }
                ?? "relayd status",
            began: since)
    }

    private static func ofWork(_ seen: Observation) -> KernelVerdict {
        let pulse = seen.pulse
        if let since = pulse?.busySince { return KernelVerdict(.busy, "it computes", began: since) }
        if !seen.isConnected, let sight = seen.sight, let since = sight.silentSince, !sight.isContainerKnown {
            // Why, the engine is being asked; nobody should interrupt a kernel for it meanwhile.
            return KernelVerdict(
                .gateLost,
                "neither the gate in \(seen.container) nor the kernel answers; the engine is asked why",
                code: ErrorCode.gateSilent.rawValue, began: since)
        }
        if !seen.isConnected {
            // Most often its container is on its way out, which is known in a moment. A kernel that computes must not be
            // interrupted for it.
            return KernelVerdict(
                .notAnswering, "the connection to it is lost, and looked for again",
                code: ErrorCode.kernelSilent.rawValue)
        }
        // One that has never answered a heartbeat may be a kernel that answers none.
        if let pulse, pulse.beatsAnswered > 0, let sent = seen.unansweredSince {
            if let share = seen.process?.cpuShare, share >= Tuning.computes {
                return KernelVerdict(.busy, "it computes, and says nothing of it", began: sent)
            }
            return KernelVerdict(
                .notAnswering, "it answers no heartbeat, and its process lives",
                code: ErrorCode.kernelSilent.rawValue, command: seen.interrupt, began: sent)
        }
        // One that lets nothing else run while it computes cannot even say that it is busy.
        if let since = pulse?.waitsSince, since.duration(to: seen.now) >= Tuning.cellWaits {
            return KernelVerdict(.busy, "a cell waits for it, and it says nothing", began: since)
        }
        return KernelVerdict(.ok, "it answers")
    }
}

extension Observation {
    /// Interrupts the kernel as a notebook does; what it wrote last, where its process is not known.
    fileprivate var interrupt: String {
        process.map { command.signal("INT", Int32(clamping: $0.vitals.pid)) } ?? lastWords
    }

    /// Something of the kernel's came after the gate last told of its process.
    fileprivate var hasSpokenSince: Bool {
        guard let heard = sight?.heardAt else { return false }
        return [pulse?.published, pulse?.shellReplied].contains { $0.map { $0 > heard } ?? false }
    }

    /// Shows what it wrote before it fell silent.
    fileprivate var lastWords: String { "relayd logs --stderr \(session)" }
}

extension Observation.Trouble {
    /// Of what was found when a kernel was last tried: nobody looks again before a cell wants one. That a kernel ended stays
    /// true.
    fileprivate var said: String {
        let word = KernelVerdict.word(for: code)
        let isPast = word == .kernelDead || code == ErrorCode.containerGone.rawValue
        return isPast ? text : "the last launch found: \(text)"
    }
}
