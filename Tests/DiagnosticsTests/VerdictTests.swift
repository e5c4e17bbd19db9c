import KernelRelay
import RelayLink
import Testing

/// The verdict as a table: what is seen, and what is said of it.
@Suite struct VerdictTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let word: KernelVerdict.Word
        let code: String?
        let remedy: String?
        let seen: Observation
    }

    static let now = ContinuousClock.now

    /// A kernel that is well, and what differs from it.
    private static func saw(
        _ name: String, _ word: KernelVerdict.Word, code: String? = nil, remedy: String? = nil,
        _ change: (inout Observation) -> Void = { _ in }
    ) -> Case {
        var seen = Observation(kernel: "k", facts: LaunchFacts(container: "dev"), now: now)
        seen.isConnected = true
        var pulse = RelayPulse()
        pulse.turned = now - .milliseconds(100)
        pulse.lastBeat = .milliseconds(1)
        pulse.beatsAnswered = 5
        seen.pulse = pulse
        seen.sight = sight(.sleeping)
        change(&seen)
        return Case(testDescription: name, word: word, code: code, remedy: remedy, seen: seen)
    }

    /// A gate that has answered twice, so that the share of a core is known.
    private static func sight(_ state: GateVitals.ProcessState, cpuMilliseconds: Int64 = 0) -> GateSight {
        var sight = GateSight()
        var kernel = GateVitals.Kernel(kernel: "k", pid: 15, state: state)
        sight.heard(.init(kernels: [kernel], memory: nil), asked: now - .seconds(2), at: now - .seconds(2))
        kernel.cpuMilliseconds = cpuMilliseconds
        sight.heard(.init(kernels: [kernel], memory: nil), asked: now - .seconds(1), at: now - .seconds(1))
        return sight
    }

    private static func silent(_ seen: inout Observation, _ container: GateSight.ContainerSight) {
        seen.sight?.fellSilent(at: now - .seconds(2))
        seen.sight?.container = container
        seen.sight?.isContainerKnown = true
    }

    private static func failed(_ code: String) -> (inout Observation) -> Void {
        { $0.trouble = .init(code: code, text: "it is so", command: "do that", advice: "in words") }
    }

    static let cases: [Case] = [
        saw("well", .ok),
        saw("not reached", .starting) {
            $0.isStarting = true
            $0.isConnected = false
        },
        saw("nothing known of the gate yet", .starting) {
            $0.isStarting = true
            $0.sight = nil
            $0.pulse = nil
        },

        saw("it says that it is busy", .busy) { $0.pulse?.busySince = now - .seconds(60) },
        saw("busy, and misses its beats", .busy) {
            $0.pulse?.busySince = now - .seconds(60)
            $0.pulse?.beatSent = now - .seconds(50)
        },
        saw("busy, and waits for nothing", .busy) {
            $0.pulse?.busySince = now - .seconds(86_400)
            $0.pulse?.beatSent = now - .seconds(86_000)
            $0.sight = sight(.sleeping)
        },
        saw("misses its beats, and uses the processor", .busy) {
            $0.pulse?.beatSent = now - .seconds(5)
            $0.sight = sight(.running, cpuMilliseconds: 990)
        },
        saw("a cell has no reply, and the beats come", .busy) { $0.pulse?.waitsSince = now - .seconds(5) },
        saw("a cell has just come", .ok) { $0.pulse?.waitsSince = now - .milliseconds(200) },

        saw(
            "misses its beats", .notAnswering, code: "KR-KERNEL-SILENT",
            remedy: "docker exec dev sh -c 'kill -INT 15'"
        ) {
            $0.pulse?.beatSent = now - .seconds(5)
        },
        saw(
            "misses its beats, and its process is not known", .notAnswering, code: "KR-KERNEL-SILENT",
            remedy: "relayd logs --stderr k"
        ) {
            $0.pulse?.beatSent = now - .seconds(5)
            $0.sight = nil
        },
        saw("misses its beats, and a cell waits", .notAnswering, code: "KR-KERNEL-SILENT") {
            $0.pulse?.beatSent = now - .seconds(5)
            $0.pulse?.waitsSince = now - .seconds(5)
        },
        saw("a beat is under way", .ok) { $0.pulse?.beatSent = now - .milliseconds(100) },
        saw("has never answered a beat: it may answer none", .ok) {
            $0.pulse?.beatSent = now - .seconds(50)
            $0.pulse?.beatsAnswered = 0
        },
        saw(
            "stopped", .notAnswering, code: "KR-KERNEL-STOPPED",
            remedy: "docker exec dev sh -c 'kill -CONT 15'"
        ) {
            $0.sight = sight(.stopped)
        },
        saw("stopped while it computes", .notAnswering, code: "KR-KERNEL-STOPPED") {
            $0.sight = sight(.stopped)
            $0.pulse?.busySince = now - .seconds(9)
        },
        saw("stopped, and its output has come since", .ok) {
            $0.sight = sight(.stopped)
            $0.pulse?.published = now - .milliseconds(500)
        },
        saw("stopped, and its reply has come since", .busy) {
            $0.sight = sight(.stopped)
            $0.pulse?.shellReplied = now - .milliseconds(500)
            $0.pulse?.busySince = now - .milliseconds(400)
        },
        saw("stopped, and its output came before", .notAnswering, code: "KR-KERNEL-STOPPED") {
            $0.sight = sight(.stopped)
            $0.pulse?.published = now - .milliseconds(1500)
        },
        // It may be on its way out with its container: nothing is to be done to it.
        saw("connections lost", .notAnswering, code: "KR-KERNEL-SILENT") { $0.isConnected = false },
        saw(
            "connections lost with the gate, and nobody has said why yet", .gateLost, code: "KR-GATE-SILENT"
        ) {
            $0.isConnected = false
            $0.sight?.fellSilent(at: now - .milliseconds(100))
        },
        saw(
            "the relay's thread is stuck", .notAnswering, code: "KR-RELAY-STUCK",
            remedy: "kill -KILL 4711  # kernels go on"
        ) {
            $0.pulse?.turned = now - .seconds(10)
            $0.relayd = 4711
        },
        // Under a cell it would look busy, and beside a slow client as if that were to blame.
        saw("the relay's thread is stuck under a cell", .notAnswering, code: "KR-RELAY-STUCK") {
            $0.pulse?.turned = now - .seconds(10)
            $0.pulse?.busySince = now - .seconds(60)
            $0.pulse?.beatSent = now - .seconds(50)
        },
        saw("the relay's thread is stuck with something held", .notAnswering, code: "KR-RELAY-STUCK") {
            $0.pulse?.turned = now - .seconds(10)
            $0.pulse?.heldSince = now - .seconds(9)
        },
        saw("the relay's thread is stuck, and somebody saw it stand", .notAnswering, code: "KR-RELAY-STUCK") {
            $0.pulse?.turned = now - .seconds(10)
            $0.watchedSince = now - .seconds(60)
        },
        // The machine has slept for an hour, and whoever looks has woken first.
        saw("the relay's thread stood while nobody looked", .ok) {
            $0.pulse?.turned = now - .seconds(3600)
            $0.watchedSince = now - .seconds(1)
        },
        saw("nothing wakes the thread of a relay without a kernel", .starting) {
            $0.pulse?.turned = now - .seconds(10)
            $0.isStarting = true
            $0.isConnected = false
        },

        saw("a zombie", .kernelDead, code: "KR-KERNEL-FAILED", remedy: "relayd logs --stderr k1") {
            $0.sight = sight(.zombie)
            $0.session = "k1"
        },
        saw("gone", .kernelDead, code: "KR-KERNEL-FAILED", remedy: "relayd logs --stderr k") {
            $0.sight = sight(.gone)
        },
        saw("killed", .kernelDead, code: "KR-KERNEL-KILLED", remedy: "do that", failed("KR-KERNEL-KILLED")),
        saw("ended", .kernelDead, code: "KR-KERNEL-FAILED", failed("KR-KERNEL-FAILED")),
        saw("ended as it was meant to", .ended) {
            ($0.end, $0.hasRun) = (.shutDown, true)
            $0.isConnected = false
            $0.sight = sight(.gone)
        },
        saw("out of memory", .kernelDead, code: "KR-KERNEL-OUT-OF-MEMORY", failed("KR-KERNEL-OUT-OF-MEMORY")),

        saw("paused", .containerPaused, code: "KR-CONTAINER-PAUSED", remedy: "docker unpause dev") {
            silent(&$0, .state(.paused))
        },
        saw("paused while it computed", .containerPaused, code: "KR-CONTAINER-PAUSED") {
            silent(&$0, .state(.paused))
            $0.pulse?.busySince = now - .seconds(9)
            $0.pulse?.beatSent = now - .seconds(5)
        },
        saw(
            "the container was stopped", .containerStopped, code: "KR-CONTAINER-STOPPED",
            remedy: "docker start dev"
        ) {
            silent(&$0, .state(.exited))
        },
        saw("the container restarts", .containerStopped, code: "KR-CONTAINER-STOPPED") {
            silent(&$0, .state(.restarting))
        },
        saw("the container is gone", .containerGone, code: "KR-CONTAINER-GONE", remedy: "docker ps -a") {
            silent(&$0, .gone)
        },
        saw(
            "the gate is silent", .gateLost, code: "KR-GATE-SILENT",
            remedy: "docker exec dev sh -c 'kill -CONT 8'"
        ) {
            silent(&$0, .state(.running))
            $0.sight?.pid = 8
        },
        saw(
            "the gate is silent, and its process not known", .gateLost, code: "KR-GATE-SILENT",
            remedy: "docker stats --no-stream dev"
        ) { silent(&$0, .state(.running)) },
        saw("the gate is joined again", .gateLost, code: "KR-GATE-SILENT") {
            silent(&$0, .state(.running))
            $0.sight?.pid = 8
            $0.sight?.isJoining = true
        },
        saw("the gate is silent, and nobody knows why yet", .ok) {
            $0.sight?.fellSilent(at: now - .seconds(2))
        },
        saw(
            "the engine does not answer", .engineUnreachable, code: "KR-ENGINE-UNREACHABLE",
            remedy: "sudo systemctl start docker"
        ) {
            silent(&$0, .state(.running))
            $0.sight?.engine = .silent(RelayError(.engineUnreachable, "docker"))
        },
        saw(
            "the engine hangs", .engineUnreachable, code: "KR-ENGINE-TIMEOUT", remedy: "docker version"
        ) {
            silent(&$0, .state(.running))
            $0.sight?.engine = .silent(RelayError(.engineTimeout, "docker"))
        },

        saw(
            "the launch found it paused", .containerPaused, code: "KR-CONTAINER-PAUSED",
            failed("KR-CONTAINER-PAUSED")),
        saw(
            "the launch found it stopped", .containerStopped, code: "KR-CONTAINER-STOPPED",
            failed("KR-CONTAINER-STOPPED")),
        saw(
            "the launch did not find it", .containerGone, code: "KR-CONTAINER-MISSING",
            failed("KR-CONTAINER-MISSING")),
        saw(
            "the launch may not ask", .engineUnreachable, code: "KR-ENGINE-DENIED", failed("KR-ENGINE-DENIED")
        ),
        saw("the launch lost the gate", .gateLost, code: "KR-GATE-LOST", failed("KR-GATE-LOST")),
        saw(
            "the launch found no Python", .failed, code: "KR-GATE-COMMAND-NOT-FOUND",
            failed("KR-GATE-COMMAND-NOT-FOUND")),

        saw("the container was stopped under it", .containerStopped, code: "KR-CONTAINER-GONE") {
            failed("KR-CONTAINER-GONE")(&$0)
            $0.trouble?.finding = "KR-CONTAINER-STOPPED"
        },
        saw("the container was removed under it", .containerGone, code: "KR-CONTAINER-GONE") {
            failed("KR-CONTAINER-GONE")(&$0)
            $0.trouble?.finding = "KR-CONTAINER-MISSING"
        },

        saw("a client does not read", .slowClient, code: "KR-CLIENT-SLOW", remedy: "relayd status") {
            $0.pulse?.heldSince = now - .seconds(3)
            $0.heldBytes = 5_000_000
        },
        saw(
            "a client that is known does not read", .slowClient, code: "KR-CLIENT-SLOW",
            remedy: "ss -tnp 'sport = :5000 or dport = :5000'"
        ) {
            $0.pulse?.heldSince = now - .seconds(3)
            $0.slowClient = .init(channel: .iopub, address: "[::1]:5000", unread: 1)
        },
        saw("a client does not read while it computes", .slowClient, code: "KR-CLIENT-SLOW") {
            $0.pulse?.heldSince = now - .seconds(3)
            $0.pulse?.busySince = now - .seconds(9)
        },
        saw("a burst is held for a moment", .ok) { $0.pulse?.heldSince = now - .milliseconds(300) },
    ]

    @Test(arguments: cases) func isSaid(_ one: Case) {
        let verdict = KernelVerdict(one.seen)
        #expect(verdict.word == one.word)
        #expect(verdict.code == one.code)
        if let remedy = one.remedy { #expect(verdict.remedy == remedy) }
        let isWrong = !verdict.word.isOrdinary && verdict.word != .ended
        #expect((verdict.code != nil) == isWrong, "what is wrong has a code")
        let isLookedFor = verdict.text.contains("looked for again") || verdict.text.contains("is asked why")
        #expect((verdict.remedy != nil) == (isWrong && !isLookedFor), "what is wrong has a remedy")
        #expect(!verdict.text.isEmpty)
    }

    @Test func everyWordIsInTheTable() {
        #expect(Set(Self.cases.map(\.word)) == Set(KernelVerdict.Word.allCases))
    }

    /// Where it lives a signal reaches it: in its own container by that one's name, on this host without an engine.
    @Test func signalsGoWhereTheKernelIs() {
        let stopped = Self.saw("", .notAnswering) { $0.sight = Self.sight(.stopped) }.seen
        func command(_ change: (inout LaunchFacts) -> Void) -> String? {
            var facts = LaunchFacts(container: "kernelrelay-lab-k1")
            change(&facts)
            var seen = Observation(kernel: "k", facts: facts, now: Self.now)
            (seen.isConnected, seen.pulse, seen.sight) = (true, stopped.pulse, stopped.sight)
            return KernelVerdict(seen).command
        }
        let own = command { $0.making = .init(image: "lab:2", arguments: []) }
        #expect(own == "docker exec kernelrelay-lab-k1 sh -c 'kill -CONT 15'")
        #expect(command { $0.isOnHost = true } == "kill -CONT 15")
    }

    @Test(arguments: [
        (KernelEnd.shutDown, true, "shut down"), (.exited(0), true, "exited 0"),
        (.signal(15), true, "ended by SIGTERM"), (.abandoned, true, "ended with its shim"),
        (.stopped, true, "ended by relayd stop"), (.shutDown, false, "shut down before it had started"),
    ])
    func howItEnded(_ end: KernelEnd, _ hasRun: Bool, _ text: String) {
        let seen = Self.saw("", .ended) { ($0.end, $0.hasRun) = (end, hasRun) }.seen
        let verdict = KernelVerdict(seen)
        #expect(verdict.word == .ended && verdict.text == text && verdict.code == nil)
    }

    /// Whoever closes the notebook of a kernel that never came does not make it one that was well.
    @Test func whatNeverStartedSaysWhy() {
        let seen = Self.saw("", .failed) {
            Self.failed("KR-IMAGE-MISSING")(&$0)
            $0.end = .shutDown
        }.seen
        let verdict = KernelVerdict(seen)
        #expect(verdict.word == .failed && verdict.code == "KR-IMAGE-MISSING")
        #expect(verdict.text == "never started: KR-IMAGE-MISSING: it is so")
        var died = seen
        died.hasRun = true
        #expect(KernelVerdict(died).text == "the last launch found: it is so")
    }

    /// A copy of the gate that is about to become the kernel, and an interpreter that reads its modules, are smaller.
    @Test func memoryIsThatOfAKernelThatHasAnswered() {
        func memory(_ reached: ContinuousClock.Instant?, _ state: GateVitals.ProcessState = .sleeping)
            -> Int64?
        {
            Self.saw("", .ok) {
                let kernel = GateVitals.Kernel(kernel: "k", pid: 15, state: state, memoryBytes: 7)
                $0.sight?.heard(.init(kernels: [kernel], memory: nil), asked: Self.now, at: Self.now)
                $0.reached = reached
            }.seen.memoryBytes
        }
        #expect(memory(nil) == nil && memory(Self.now + .milliseconds(1)) == nil)
        #expect(memory(Self.now - .milliseconds(1)) == 7)
        #expect(memory(Self.now - .seconds(1), .zombie) == nil)
    }

    @Test func sinceWhenIsTold() throws {
        let busy = try #require(Self.cases.first { $0.testDescription == "it says that it is busy" })
        #expect(KernelVerdict(busy.seen).began == Self.now - .seconds(60))
    }

    @Test func whichClientAndWhetherTheKernelWaitsIsTold() {
        let one = Self.saw("", .slowClient) {
            $0.pulse?.heldSince = Self.now - .seconds(3)
            $0.heldBytes = 67_000_000
            $0.isHoldFull = true
            $0.slowClient = .init(channel: .iopub, address: "127.0.0.1:5000", unread: 1)
        }
        let text = KernelVerdict(one.seen).text
        #expect(
            text
                == "a client on iopub at 127.0.0.1:5000 does not read: 67 MB are held for it; the kernel waits"
        )
    }

    /// One rung for each hop, in order, and the broken one is the one that shows.
    @Test(arguments: [
        ("well", []),
        ("stopped", [Ladder.Hop.process]),
        ("paused", [.container, .gate]),
        ("the gate is silent", [.gate]),
        ("misses its beats", [.heartbeat]),
        ("the engine does not answer", [.engine, .gate]),
        ("the relay's thread is stuck", [.relay]),
        ("the relay's thread stood while nobody looked", []),
    ])
    func theLadderShowsWhere(_ name: String, _ broken: [Ladder.Hop]) throws {
        let one = try #require(Self.cases.first { $0.testDescription == name })
        let rungs = Ladder(one.seen).rungs
        #expect(rungs.map(\.hop) == Ladder.Hop.allCases)
        #expect(rungs.filter { $0.lamp == .bad }.map(\.hop) == broken)
        #expect(rungs.allSatisfy { !$0.text.isEmpty })
    }

    /// What a gate says may be anything.
    @Test func noFigureOfAGateIsTooMuch() {
        for (used, limit) in [(Int64.max, Int64(1)), (.max, .max), (0, 1), (1, .max)] {
            var seen = Self.saw("", .ok).seen
            var kernel = GateVitals.Kernel(kernel: "k", pid: 1, state: .running, memoryBytes: .max)
            seen.sight?.heard(
                .init(kernels: [kernel], memory: .init(usedBytes: 0, limitBytes: 1, kills: 0)),
                asked: Self.now, at: Self.now)
            kernel.cpuMilliseconds = .max
            seen.sight?.heard(
                .init(kernels: [kernel], memory: .init(usedBytes: used, limitBytes: limit, kills: .max)),
                asked: Self.now, at: Self.now + .nanoseconds(1))
            #expect(Ladder(seen).rungs.count == Ladder.Hop.allCases.count)
        }
    }

    /// A verdict on a launch is as old as the launch, and says so; an end is an end.
    @Test(arguments: [
        ("the launch found it paused", "the last launch found: it is so"),
        ("the launch may not ask", "the last launch found: it is so"),
        ("the launch found no Python", "the last launch found: it is so"),
        ("killed", "it is so"), ("the container was removed under it", "it is so"),
    ])
    func whatALaunchFoundIsOld(_ name: String, _ text: String) throws {
        let one = try #require(Self.cases.first { $0.testDescription == name })
        #expect(KernelVerdict(one.seen).text == text)
    }

    @Test func ordinaryWorkIsNoNews() {
        let ordinary = KernelVerdict.Word.allCases.filter(\.isOrdinary)
        #expect(ordinary == [.starting, .ok, .busy])
        #expect(KernelVerdict.Word.allCases.allSatisfy { !($0.isOrdinary && $0.isTrouble) })
    }

    @Test func aCellIsToldWhatToDo() throws {
        let paused = try #require(Self.cases.first { $0.testDescription == "paused" })
        #expect(
            KernelVerdict(paused.seen).remark
                == Remark(
                    "\n[KR-CONTAINER-PAUSED] the container dev is paused. docker unpause dev\n",
                    trouble: "KR-CONTAINER-PAUSED"))
        #expect(
            KernelVerdict(.ok, "it answers").remark == Remark("\n[relayd] it goes on\n", trouble: nil))
    }

    /// Of a launch that failed: in order up to the hop that failed, and dark behind it.
    @Test(arguments: [
        ("KR-PORT-IN-USE", Ladder.Hop.relay), ("KR-ENGINE-DENIED", .engine),
        ("KR-CONTAINER-STOPPED", .container),
        ("KR-GATE-READ-ONLY", .gate), ("KR-GATE-COMMAND-NOT-FOUND", .process), ("KR-KERNEL-KILLED", .process),
        ("KR-ROUTE-NONE", .heartbeat), ("KR-SOMETHING-NEW", .process),
    ])
    func theLadderOfALaunchEndsWhereItFailed(_ code: String, _ hop: Ladder.Hop) throws {
        var seen = Observation(kernel: "k", facts: LaunchFacts(container: "dev"), now: Self.now)
        seen.trouble = .init(code: code, text: "it is so", advice: "")
        let rungs = Ladder(seen).rungs
        let broken = try #require(Ladder.Hop.allCases.firstIndex(of: hop))
        #expect(rungs.map(\.hop) == Ladder.Hop.allCases)
        #expect(rungs[..<broken].allSatisfy { $0.lamp == .good })
        #expect(rungs[broken].lamp == .bad && rungs[broken].text == "it is so")
        #expect(rungs[(broken + 1)...].allSatisfy { $0.lamp == .dark })
    }
}
