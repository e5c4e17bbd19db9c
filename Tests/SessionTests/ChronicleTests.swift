import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// What is made of a kernel's samples.
    @Suite struct KernelSamplesTests {
        /// A record of a kernel that nobody has started, and when it began.
        private func withRecord(_ test: (inout KernelRecord, ContinuousClock.Instant) throws -> Void) throws {
            let rig = try Rig()
            defer { rig.discard() }
            let (session, _) = try rig.idleSession()
            var record = KernelRecord(session)
            try test(&record, session.began)
        }

        private func seen(
            _ now: ContinuousClock.Instant, _ change: (inout RelayPulse) -> Void = { _ in }
        ) -> Observation {
            var seen = Observation(kernel: "k", facts: LaunchFacts(container: "box"), now: now)
            var pulse = RelayPulse()
            (pulse.turned, pulse.beatsAnswered, pulse.lastBeat) = (now, 1, .milliseconds(1))
            change(&pulse)
            seen.pulse = pulse
            seen.isConnected = true
            return seen
        }

        /// Messages and bytes of two lanes; nothing on the others.
        private func counts(shell: Int, hb: Int = 0) -> RelayStatistics {
            let lanes = Channel.allCases.flatMap { channel in
                Direction.allCases.map { direction in
                    let count =
                        direction == .toClient ? [Channel.shell: shell, .hb: hb][channel] ?? 0 : 0
                    return RelayStatistics.Lane(
                        channel: channel, direction: direction, messages: count, bytes: count * 1000,
                        heldMessages: 0, heldBytes: 0, everHeld: 0, rejected: [:])
                }
            }
            return RelayStatistics(
                connected: true, kernelConnections: 1, failedConnects: 0, interrupts: 0, lanes: lanes)
        }

        private func lane(_ channel: Channel, _ direction: Direction) -> Int {
            counts(shell: 0).lanes.firstIndex { $0.channel == channel && $0.direction == direction }!
        }

        @Test func ratesAreOfTheTimeBetweenTwoSamples() throws {
            try withRecord { record, began in
                let shell = lane(.shell, .toClient)
                #expect(record.rate(of: shell) == (0, 0), "nothing is known yet")
                record.sample(seen(began), counts(shell: 100, hb: 50))
                #expect(record.rate(of: shell) == (0, 0), "and one sample is none")
                record.sample(seen(began + .seconds(4)), counts(shell: 300, hb: 90))
                #expect(record.rate(of: shell) == (50, 50_000))
                #expect(record.rate(of: lane(.hb, .toClient)) == (10, 10_000))
                #expect(record.rate(of: lane(.shell, .toKernel)) == (0, 0))
                // A relay that was made anew has counted less.
                record.sample(seen(began + .seconds(6)), counts(shell: 3))
                #expect(record.rate(of: shell) == (0, 0))
                // Of all channels but that of the heartbeats.
                #expect(record.history.samples.map(\.messagesPerSecond) == [0, 50, 0])
            }
        }

        /// A kernel at rest has fewer beats than samples; one that is deaf has none.
        @Test func aRoundTripHoldsUntilABeatIsLost() throws {
            try withRecord { record, began in
                let beats = [(1, 0, 0), (2, 0, 2), (2, 0, 4), (2, 1, 6), (2, 1, 8), (3, 1, 10)]
                for (answered, lost, second) in beats {
                    let now = began + .seconds(second)
                    let seen = seen(now) {
                        ($0.beatsAnswered, $0.lastBeat) = (answered, .milliseconds(answered))
                        $0.beatsLost = lost
                        if second == 8 { $0.beatSent = now - .seconds(3) }
                    }
                    _ = record.note(seen)
                    record.sample(seen, nil)
                }
                #expect(
                    record.history.samples.map(\.roundTrip) == [
                        .milliseconds(1), .milliseconds(2), .milliseconds(2), nil, nil, .milliseconds(3),
                    ])
                var gone = seen(began + .seconds(12))
                gone.isConnected = false
                record.sample(gone, nil)
                #expect(record.history.samples.last?.roundTrip == nil)
            }
        }
    }

    /// Who looks at kernels, and what is kept of those that have ended.
    @Suite struct ChronicleTests {
        @Test func theEndedAreKeptTheNewestFirstAndNotAll() async throws {
            let rig = try Rig()
            defer { rig.discard() }
            let chronicle = Chronicle()
            var ids: [String] = []
            for _ in 0..<Tuning.mostEnded + 8 {
                let (session, _) = try rig.idleSession()
                await chronicle.begin(session)
                let known = await chronicle.present(session)
                #expect(known?.0.verdict.word == .starting)
                await chronicle.end(session)
                #expect(await chronicle.present(session) == nil)
                ids.insert(session.id, at: 0)
            }
            let kept = await chronicle.recentlyEnded
            #expect(kept.map(\.kernel) == Array(ids.prefix(Tuning.mostEnded)))
            #expect(kept.first?.container == "box")
        }

        /// Nobody asks for a report: what is noted, a cell is told.
        @Test func verdictsAreNotedUnasked() async throws {
            try await withRig { rig in
                let (_, keepsake) = try await rig.running(rig.launch("exec sleep 1000"))
                let gate = try #require(rig.engine.gates.last)
                kill(gate, SIGSTOP)
                try await eventually("the verdict", within: .seconds(10)) {
                    noted(keepsake.kernel).contains("gate-lost") ? () : nil
                }
                kill(gate, SIGCONT)
                try await eventually("its end", within: .seconds(10)) {
                    noted(keepsake.kernel).last == "gate-lost" ? nil : ()
                }
            }
        }

        private func noted(_ kernel: String) -> [String] {
            Log.ring.page().entries.filter { $0.kernel == kernel && $0.event == "verdict" }
                .compactMap { $0.facts["word"] }
        }
    }

    /// What is asked of a gate, and of the engine when the gate is silent.
    @Suite struct GateWatchTests {
        private func word(_ rig: Rig) async -> String? {
            await rig.status("kernels").first?["verdict"]?.fields?["word"]?.text
        }

        /// Waits until the gate has answered so often, and the engine was asked nothing meanwhile. An answer that is late,
        /// as on a machine under load, makes it begin anew.
        private func untilTheEngineIsLeftAlone(_ rig: Rig, answers: Int64) async throws {
            var (asked, first) = (-1, Int64(0))
            try await eventually("\(answers) answers and no question", within: .seconds(40)) {
                let times = await rig.status("kernels").first?["hop_time"]?.fields
                let count = times?["gate"]?.fields?["count"]?.integer ?? 0
                if rig.engine.inspects != asked { (asked, first) = (rig.engine.inspects, count) }
                return count >= first + answers ? () : nil
            }
        }

        @Test func theEngineIsAskedOnlyAboutASilentGate() async throws {
            try await withRig { rig in
                _ = try await rig.running(rig.launch("exec sleep 1000"))
                try await untilTheEngineIsLeftAlone(rig, answers: 3)
                let before = rig.engine.inspects
                let link = try #require(rig.engine.links.last)
                kill(link.process, SIGSTOP)
                defer { kill(link.process, SIGCONT) }
                try await eventually("the engine is asked", within: .seconds(10)) {
                    rig.engine.inspects > before + 1 ? () : nil
                }
                // However long it is silent, one question to the gate is under way.
                let unread = link.unread
                try await eventually("it is asked again", within: .seconds(10)) {
                    rig.engine.inspects > before + 3 ? () : nil
                }
                #expect(link.unread == unread && unread > 0)
                kill(link.process, SIGCONT)
                try await eventually("the gate's answer", within: .seconds(10)) {
                    await word(rig) == "gate-lost" ? nil : ()
                }
                try await untilTheEngineIsLeftAlone(rig, answers: 2)
            }
        }

        /// What it says late is believed, and what it said is not taken back while it is asked again.
        @Test func anEngineThatIsSlow() async throws {
            try await withRig { rig in
                _ = try await rig.running(rig.launch("exec sleep 1000"))
                try rig.engine.setState("paused")
                try rig.engine.become(.tardy)
                let gate = try #require(rig.engine.gates.last)
                kill(gate, SIGSTOP)
                defer { kill(gate, SIGCONT) }
                try await eventually("the verdict") { await word(rig) == "container-paused" ? () : nil }
                let inspects = rig.engine.inspects
                try await eventually("two more questions") {
                    #expect(await word(rig) == "container-paused")
                    return rig.engine.inspects > inspects + 1 ? () : nil
                }
            }
        }

        @Test(arguments: [
            ("paused", "container-paused"), ("exited", "container-stopped"), (nil, "container-gone"),
        ])
        func whatTheEngineSaysIsBelieved(_ state: String?, _ verdict: String) async throws {
            try await withRig { rig in
                _ = try await rig.running(rig.launch("exec sleep 1000"))
                if let state {
                    try rig.engine.setState(state)
                } else {
                    rig.touch("gone-\(rig.engine.container)")
                }
                let gate = try #require(rig.engine.gates.last)
                kill(gate, SIGSTOP)
                defer { kill(gate, SIGCONT) }
                try await eventually("the verdict", within: .seconds(10)) {
                    await word(rig) == verdict ? () : nil
                }
                // The gate knows better than the engine.
                kill(gate, SIGCONT)
                try await eventually("the gate's word", within: .seconds(10)) {
                    await word(rig) == verdict ? nil : ()
                }
            }
        }
    }
}
