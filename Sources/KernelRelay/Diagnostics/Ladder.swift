import RelayLink

/// The hops between a notebook and its code, one after the other: which of them is in order, and which is not.
package struct Ladder: Sendable, Equatable {
    package enum Hop: String, Sendable, CaseIterable {
        case relay, engine, container, gate, process, heartbeat, traffic
    }

    package enum Lamp: String, Sendable {
        case good, warn, bad
        /// Not known.
        case dark
    }

    package struct Rung: Sendable, Equatable {
        package var hop: Hop
        package var lamp: Lamp
        package var text: String
        /// Its round trip, or how long ago it last said something.
        package var took: Duration?

        init(_ hop: Hop, _ lamp: Lamp, _ text: String, _ took: Duration? = nil) {
            self.hop = hop
            self.lamp = lamp
            self.text = text
            self.took = took
        }
    }

    package let rungs: [Rung]

    package init(_ seen: Observation) {
        if let trouble = seen.trouble, seen.sight == nil {
            rungs = Self.climbed(to: Self.hop(of: trouble.code), trouble.text)
            return
        }
        rungs = Hop.allCases.map { hop in
            switch hop {
            case .relay: Self.relay(seen)
            case .engine: Self.engine(seen)
            case .container: Self.container(seen)
            case .gate: Self.gate(seen)
            case .process: Self.process(seen)
            case .heartbeat: Self.heartbeat(seen)
            case .traffic: Self.traffic(seen)
            }
        }
    }

    /// A launch climbs from the ports to the kernel: what came before the hop that failed was in order then.
    private static func climbed(to broken: Hop, _ text: String) -> [Rung] {
        let all = Hop.allCases
        return all.enumerated().map { index, hop in
            if hop == broken { return Rung(hop, .bad, text) }
            return index < all.firstIndex(of: broken)!
                ? Rung(hop, .good, "was in order") : Rung(hop, .dark, "not reached")
        }
    }

    /// Where a launch failed that failed with this code.
    static func hop(of code: String) -> Hop {
        switch KernelVerdict.word(for: code) {
        case .engineUnreachable: .engine
        case .containerPaused, .containerStopped, .containerGone: .container
        case .gateLost: .gate
        case .kernelDead: .process
        default:
            switch code {
            case "KR-PORT-IN-USE", "KR-BIND-FAILED",
                _ where code.hasPrefix("KR-CONNECTION"):
                .relay
            case _ where code.hasPrefix("KR-ENGINE"): .engine
            case _ where code.hasPrefix("KR-CONTAINER"): .container
            case _ where code.hasPrefix("KR-GATE-COMMAND"): .process
            case _ where code.hasPrefix("KR-GATE"): .gate
            case "KR-ROUTE-NONE", "KR-LAUNCH-TIMEOUT": .heartbeat
            default: .process
            }
        }
    }

    private static func relay(_ seen: Observation) -> Rung {
        guard let pulse = seen.pulse else { return Rung(.relay, .dark, "its ports are not bound") }
        guard seen.isConnected else {
            return Rung(.relay, seen.isStarting ? .dark : .warn, "bound, and not connected to the kernel")
        }
        let age = pulse.turned.map { $0.duration(to: seen.now) }
        if seen.stuckSince != nil { return Rung(.relay, .bad, "its thread is stuck", age) }
        return Rung(.relay, .good, "connected", age)
    }

    private static func engine(_ seen: Observation) -> Rung {
        guard let sight = seen.sight else { return Rung(.engine, .dark, "not asked yet") }
        if case .silent(let error) = sight.engine { return Rung(.engine, .bad, error.code.entry.summary) }
        return Rung(.engine, .good, "answers")
    }

    private static func container(_ seen: Observation) -> Rung {
        guard let sight = seen.sight else { return Rung(.container, .dark, "not looked at yet") }
        switch sight.container {
        case .gone: return Rung(.container, .bad, "gone")
        case .state(.running): return running(sight.memory)
        case .state(let state): return Rung(.container, .bad, state.rawValue)
        }
    }

    private static func running(_ memory: GateVitals.Memory?) -> Rung {
        guard let memory, let limit = memory.limitBytes, limit > 0 else {
            return Rung(.container, .good, "running")
        }
        let share = Figures.percent(Double(memory.usedBytes) / Double(limit))
        let text = "running, \(share) % of \(Figures.bytes(Int(limit)))"
        if memory.kills > 0 {
            return Rung(.container, .warn, "\(text); its limit has killed \(memory.kills) processes")
        }
        return Rung(.container, share >= 90 ? .warn : .good, text)
    }

    private static func gate(_ seen: Observation) -> Rung {
        guard let sight = seen.sight else { return Rung(.gate, .dark, "none yet") }
        if let since = sight.silentSince {
            return Rung(.gate, .bad, "does not answer", since.duration(to: seen.now))
        }
        return Rung(.gate, sight.roundTrip == nil ? .dark : .good, "answers", sight.roundTrip)
    }

    private static func process(_ seen: Observation) -> Rung {
        guard let process = seen.process else {
            return Rung(.process, seen.trouble == nil ? .dark : .bad, seen.trouble?.text ?? "not known yet")
        }
        let vitals = process.vitals
        switch vitals.state {
        case .running, .sleeping, .waiting:
            let share = process.cpuShare.map { "\(Figures.percent($0)) % of a core" }
            let memory = seen.memoryBytes.map { Figures.bytes(Int($0)) }
            let figures = [share, memory].compactMap(\.self).map { ", \($0)" }.joined()
            return Rung(.process, .good, "\(vitals.state.rawValue)\(figures)")
        case .stopped, .zombie, .gone: return Rung(.process, .bad, vitals.state.rawValue)
        }
    }

    private static func heartbeat(_ seen: Observation) -> Rung {
        guard let pulse = seen.pulse, pulse.beatsAnswered > 0 else {
            return Rung(.heartbeat, .dark, "none answered yet")
        }
        if let sent = seen.unansweredSince {
            let isBusy = pulse.busySince != nil
            return Rung(
                .heartbeat, isBusy ? .warn : .bad, isBusy ? "none while it computes" : "none",
                sent.duration(to: seen.now))
        }
        return Rung(.heartbeat, .good, "answered", pulse.lastBeat)
    }

    private static func traffic(_ seen: Observation) -> Rung {
        guard let pulse = seen.pulse else { return Rung(.traffic, .dark, "none") }
        if let since = pulse.heldSince, since.duration(to: seen.now) >= Tuning.clientIsSlow {
            return Rung(.traffic, .warn, "\(Figures.bytes(seen.heldBytes)) are held for a client")
        }
        func ago(_ moment: ContinuousClock.Instant?) -> String {
            moment.map { "\(Figures.duration($0.duration(to: seen.now))) ago" } ?? "none"
        }
        let last = [pulse.shellReplied, pulse.published].compactMap(\.self).max()
        guard let last else { return Rung(.traffic, .dark, "none yet") }
        return Rung(
            .traffic, .good, "reply \(ago(pulse.shellReplied)), output \(ago(pulse.published))",
            last.duration(to: seen.now))
    }
}
