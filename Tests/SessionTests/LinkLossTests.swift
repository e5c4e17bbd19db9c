import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// The engine's client ends, and the gate and its kernels do not.
    @Suite struct LinkLossTests {
        private static let obedient = "trap 'exit 9' USR1; echo up; while :; do sleep 0.02; done"

        private func outages() -> Int { Log.ring.page().entries.count { $0.event == "gate out of sight" } }

        @Test func theGateIsJoinedAgainAndHearsASignal() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch(Self.obedient))
                _ = try await shim.take("its word") { if case .output = $0 { true } else { nil } }
                try #require(rig.engine.links.first).cut()
                // What is said into a link that has just died is lost; what is said while it is joined again is not.
                try await eventually("an attempt to join") { rig.engine.execs.count == 2 ? () : nil }
                shim.send(.signal(number: SIGUSR1))
                #expect(try await shim.exit().cause == .code(9))
                #expect(rig.engine.links.map(\.joins) == [false, true])
            }
        }

        /// The gate may be well, and nothing is to be done to it.
        @Test func whileItIsJoinedNothingIsToBeTyped() async throws {
            try await withRig { rig in
                _ = try await rig.running(rig.launch())
                try rig.engine.become(.silent)
                try #require(rig.engine.links.first).cut()
                let verdict = try await eventually("the verdict") {
                    let verdict = await rig.status("kernels").first?["verdict"]?.fields
                    return verdict?["word"]?.text == "gate-lost" ? verdict : nil
                }
                #expect(verdict["text"]?.text?.hasSuffix("is lost, and looked for again") == true)
                #expect(verdict["remedy"] == .null && verdict["command"] == .null)
                #expect(await rig.status("gates").first?["state"]?.text == "joining")
            }
        }

        @Test func itEndsWithoutALink() async throws {
            try await withRig { rig in
                try rig.engine.become(.works)
                let go = rig.path("go-on")
                let (shim, _) = try await rig.running(
                    rig.launch("until [ -e \(go) ]; do sleep 0.02; done; exit 4"))
                try rig.engine.become(.slow)
                try #require(rig.engine.links.first).cut()
                rig.touch("go-on")
                try await rig.untilGone()
                #expect(try await shim.exit().cause == .code(4))
            }
        }

        @Test func withoutKernelsNothingIsJoined() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch("exit 0"))
                _ = try await shim.exit()
                try await rig.untilNoSession()
                try #require(rig.engine.links.first).cut()
                try await eventually("the loss") { await rig.status("gates").isEmpty ? () : nil }
                try await Task.sleep(for: .milliseconds(700))
                #expect(rig.engine.execs.count == 1)
                // Who comes next finds it.
                let pid = try #require(rig.engine.gates.first)
                _ = try await rig.running(rig.launch())
                #expect(await rig.status("gates").first?["pid"]?.integer == Int64(pid))
            }
        }

        @Test func aGateThatHangsUpAgainAndAgainIsGivenUp() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let (shim, _) = try await rig.running(rig.launch(file: notebook.file))
                try rig.engine.become(.hangsUp)
                try #require(rig.engine.links.first).cut()
                #expect(try await shim.failure(within: .seconds(40)) == "KR-GATE-LOST")
                #expect(rig.engine.links.count <= 1 + Tuning.rejoinPauses.count)
                #expect(Rig.areFree(notebook.address))
                // The kernel lives on; whoever opens the gate next has it, and ends it with the gate.
                try rig.engine.become(.works)
                _ = try await rig.running(rig.launch(named: "next"))
            }
        }

        /// The attempts are over, and the engine is still down: the kernel is not given up, and hears what it is told once
        /// the engine is back.
        @Test func anOutageThatIsLongerThanTheAttempts() async throws {
            try await withRig { rig in
                let before = outages()
                let (shim, _) = try await rig.running(rig.launch(Self.obedient))
                _ = try await shim.take("its word") { if case .output = $0 { true } else { nil } }
                // Links that are lost soon leave fewer attempts: of twenty seconds six remain.
                for count in 1..<Tuning.rejoinPauses.count {
                    try await eventually("link \(count)") { rig.engine.links.count == count ? () : nil }
                    try await eventually("the gate") {
                        await rig.status("gates").first?["state"]?.text == "open" ? () : nil
                    }
                    if count == Tuning.rejoinPauses.count - 1 { try rig.engine.become(.absent) }
                    try #require(rig.engine.links.last).cut()
                }
                try await eventually("the last attempt", within: .seconds(20)) {
                    outages() > before ? () : nil
                }
                let kernel = try #require(await rig.status("kernels").first)
                #expect(kernel["state"]?.text != "failed")
                #expect(await rig.status("gates").first?["state"]?.text == "joining")
                try await eventually("the verdict") {
                    let verdict = await rig.status("kernels").first?["verdict"]?.fields
                    return verdict?["word"]?.text == "engine-unreachable" ? () : nil
                }
                // Whoever wants a kernel meanwhile is told what is the matter, and does not wait for ever.
                let other = try rig.shim()
                other.launch(try rig.launch(named: "other"))
                #expect(try await other.failure() == "KR-ENGINE-UNREACHABLE")
                try rig.engine.become(.works)
                shim.send(.signal(number: SIGUSR1))
                #expect(try await shim.exit().cause == .code(9))
            }
        }

        /// A question to the engine that is given up with its link says nothing of the engine.
        @Test func aLinkThatEndsWhileTheEngineIsAsked() async throws {
            try await withRig { rig in
                _ = try await rig.running(rig.launch())
                // On a machine under load the engine may truly take longer than it is given, but not each time.
                var blames = 0
                for _ in 0..<3 where try await isBlamed(rig) { blames += 1 }
                #expect(blames < 2)
            }
        }

        /// Whether the engine is, after a question to it was given up with the link.
        private func isBlamed(_ rig: Rig) async throws -> Bool {
            func word() async -> String? {
                await rig.status("kernels").first?["verdict"]?.fields?["word"]?.text
            }
            try await eventually("a link that answers") {
                let state = await rig.status("gates").first?["state"]?.text
                return await word() != "engine-unreachable" && state == "open" ? () : nil
            }
            let gate = try #require(rig.engine.gates.first)
            try rig.engine.become(.stuck)
            let before = rig.engine.inspects
            kill(gate, SIGSTOP)
            defer { kill(gate, SIGCONT) }
            try await eventually("a question") { rig.engine.inspects > before ? () : nil }
            try rig.engine.become(.works)
            try #require(rig.engine.links.last).cut()
            kill(gate, SIGCONT)
            let deadline = ContinuousClock.now + .milliseconds(800)
            while ContinuousClock.now < deadline {
                if await word() == "engine-unreachable" { return true }
                try await Task.sleep(for: .milliseconds(10))
            }
            return false
        }

        @Test func aContainerThatIsGoneEndsItsKernels() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch())
                // Between its fork and its exec it is not to be told from its gate.
                try await eventually("its process") { rig.kernels().isEmpty ? nil : () }
                try rig.engine.setState("exited")
                // Not the engine's clients: a question that fails tells nothing of a container. The gate before its kernel,
                // whose end it would tell.
                for pid in rig.engine.gates + rig.kernels() { kill(pid, SIGKILL) }
                #expect(try await shim.failure() == "KR-CONTAINER-GONE")
                try rig.engine.setState("running")
                _ = try await rig.running(rig.launch())
            }
        }

        /// An engine that is going down may take its containers for ended, though they live on.
        @Test(arguments: [FakeEngine.Mode.absent, .works])
        func anEngineIsNotBelievedAtOnce(then mode: FakeEngine.Mode) async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch(Self.obedient))
                _ = try await shim.take("its word") { if case .output = $0 { true } else { nil } }
                let before = outages()
                try rig.engine.say("exited", then: mode)
                let cut = ContinuousClock.now
                try #require(rig.engine.links.first).cut()
                if mode == .absent {
                    try await eventually("the second question") { outages() > before ? () : nil }
                    try await eventually("the verdict") {
                        let verdict = await rig.status("kernels").first?["verdict"]?.fields
                        return verdict?["word"]?.text == "engine-unreachable" ? () : nil
                    }
                    try rig.engine.become(.works)
                }
                try await eventually("an attempt to join") { rig.engine.execs.count > 1 ? () : nil }
                // Or it was never told that the container had ended.
                #expect(cut.duration(to: .now) >= Tuning.containerSettles)
                shim.send(.signal(number: SIGUSR1))
                #expect(try await shim.exit().cause == .code(9))
            }
        }

        @Test func aGateThatIsGoneEndsItsKernels() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch())
                for pid in rig.engine.gates + rig.kernels() { kill(pid, SIGKILL) }
                #expect(try await shim.failure() == "KR-GATE-LOST")
                _ = try await rig.running(rig.launch(named: "next"))
            }
        }
    }
}
