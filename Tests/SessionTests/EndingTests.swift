import Foundation
import Glibc
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// Shims that end, and gates that do not answer: as in a container that is paused.
    @Suite struct EndingTests {
        @Test func aShimThatEndsWhileItsKernelIsBeingStarted() async throws {
            try await withRig { rig in
                let (first, _) = try await rig.running(rig.launch(named: "first"))
                let gate = try #require(rig.engine.links.first)
                kill(gate.process, SIGSTOP)
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try rig.launch(named: "second", file: notebook.file))
                try await rig.untilAsked(gate)
                shim.close()
                try await eventually("free ports", within: .seconds(5)) {
                    Rig.areFree(notebook.address) ? () : nil
                }
                kill(gate.process, SIGCONT)
                try await eventually("the end of the session") {
                    await rig.sessions().count == 1 ? () : nil
                }
                #expect(rig.kernels(named: "second").isEmpty)
                #expect(!rig.kernels(named: "first").isEmpty)
                let supervisor = rig.relayd.supervisor
                #expect(await ends(within: .seconds(10)) { await supervisor.stop(grace: .zero) })
                #expect(try await first.failure() == "KR-RELAYD-STOPPED")
            }
        }

        @Test func relaydStopsWhileAKernelIsBeingStarted() async throws {
            try await withRig { rig in
                let (first, _) = try await rig.running(rig.launch(named: "first"))
                let gate = try #require(rig.engine.links.first)
                kill(gate.process, SIGSTOP)
                let shim = try rig.shim()
                shim.launch(try rig.launch(named: "second"))
                let session = try await rig.untilAsked(gate)
                let supervisor = rig.relayd.supervisor
                async let stopped = ends(within: .seconds(20)) { await supervisor.stop(grace: .zero) }
                try await eventually("the stop") { await session.state == .ending ? () : nil }
                kill(gate.process, SIGCONT)
                #expect(await stopped)
                #expect(try await shim.failure() == "KR-KERNEL-START")
                #expect(try await first.failure() == "KR-RELAYD-STOPPED")
            }
        }

        @Test func signalsToASilentGateHoldNothingUp() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let (shim, _) = try await rig.running(rig.launch(file: notebook.file))
                let gate = try #require(rig.engine.links.first)
                kill(gate.process, SIGSTOP)
                for _ in 0..<500 { shim.send(.signal(number: SIGINT)) }
                // It is still listened to.
                _ = try await shim.status()
                shim.close()
                try await eventually("free ports", within: .seconds(5)) {
                    Rig.areFree(notebook.address) ? () : nil
                }
                kill(gate.process, SIGCONT)
                try await rig.untilGone()
                try await rig.untilNoSession()
            }
        }

        /// The link is gone, and what could join the gate again says nothing.
        @Test func signalsWithoutALinkHoldNothingUp() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let (shim, _) = try await rig.running(rig.launch(file: notebook.file))
                try rig.engine.become(.silent)
                try #require(rig.engine.links.first).cut()
                try await eventually("an attempt to join") { rig.engine.execs.count == 2 ? () : nil }
                for _ in 0..<500 { shim.send(.signal(number: SIGINT)) }
                _ = try await shim.status()
                shim.close()
                try await eventually("free ports", within: .seconds(5)) {
                    Rig.areFree(notebook.address) ? () : nil
                }
                try rig.engine.become(.works)
                // The client that is silent now has its twenty seconds.
                let silent = try await eventually("its silence") {
                    rig.processes().first { pid in
                        (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8))
                            == "sleep\u{0}1000\u{0}"
                            && !rig.kernels().contains(pid)
                    }
                }
                kill(silent, SIGKILL)
                try await rig.untilGone()
                try await rig.untilNoSession()
            }
        }

        @Test func aSilentGateIsHandedOverInTime() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let (shim, keepsake) = try await rig.running(rig.launch(file: notebook.file))
                let gate = try #require(rig.engine.links.first)
                kill(gate.process, SIGSTOP)
                let supervisor = rig.relayd.supervisor
                #expect(await ends(within: .seconds(5)) { await supervisor.handOver() })
                #expect(Rig.areFree(notebook.address))
                shim.close()
                kill(gate.process, SIGCONT)
                try rig.startAgain()
                let again = try rig.shim()
                again.send(.resume(request: 1, try rig.launch(file: notebook.file), keepsake))
                #expect(try await again.launched() == keepsake)
                #expect(!rig.kernels().isEmpty)
            }
        }
    }
}
