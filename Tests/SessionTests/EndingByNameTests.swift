import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// Somebody names a kernel for its end, as `relayd end` does.
    @Suite struct EndingByNameTests {
        /// The code with which it was refused; nothing when it was done.
        private func end(_ name: String, _ rig: Rig) async throws -> String? {
            let person = try rig.shim()
            person.send(.end(request: 9, kernel: name, graceMilliseconds: 0))
            return try await person.take("an answer", within: .seconds(30)) { report -> String?? in
                switch report {
                case .done(9): .some(nil)
                case .failed(9, let code, _, _): .some(code)
                default: nil
                }
            }
        }

        @Test func oneThatRuns() async throws {
            try await withRig { rig in
                let (shim, keepsake) = try await rig.running(rig.launch(named: "one"))
                let (other, _) = try await rig.running(rig.launch(named: "other"))
                #expect(try await end(String(keepsake.kernel.prefix(8)), rig) == nil)
                #expect(rig.kernels(named: "one").isEmpty && !rig.kernels(named: "other").isEmpty)
                #expect(try await shim.failure() == "KR-KERNEL-ENDED")
                #expect(try await end("nobody", rig) == "KR-KERNEL-UNKNOWN")
                _ = try await other.status()
            }
        }

        @Test func oneThatIsBeingStarted() async throws {
            try await withRig { rig in
                let (first, _) = try await rig.running(rig.launch(named: "first"))
                let gate = try #require(rig.engine.links.first)
                kill(gate.process, SIGSTOP)
                defer { kill(gate.process, SIGCONT) }
                let shim = try rig.shim()
                shim.launch(try rig.launch(named: "second"))
                let session = try await rig.untilAsked(gate)
                #expect(try await end(session.id, rig) == nil)
                kill(gate.process, SIGCONT)
                #expect(try await shim.failure() == "KR-KERNEL-ENDED")
                try await rig.untilGone("second")
                _ = try await first.status()
            }
        }

        /// It is not ended, and that is said; once the gate goes on it is.
        @Test func oneWhoseGateIsSilent() async throws {
            try await withRig { rig in
                let (shim, keepsake) = try await rig.running(rig.launch())
                let gate = try #require(rig.engine.links.first)
                kill(gate.process, SIGSTOP)
                defer { kill(gate.process, SIGCONT) }
                #expect(try await end(keepsake.kernel, rig) == "KR-GATE-SILENT")
                #expect(!rig.kernels().isEmpty)
                kill(gate.process, SIGCONT)
                #expect(try await shim.failure() == "KR-KERNEL-ENDED")
                #expect(rig.kernels().isEmpty)
            }
        }

        @Test func oneThatHasEndedAlready() async throws {
            try await withRig { rig in
                let shim = try rig.shim()
                shim.launch(try rig.launch("exit 3", onFailure: .kernel))
                let session = try await eventually("a session that says why") { () -> String? in
                    guard let kernel = await rig.status("kernels").first, kernel["state"]?.text == "failed"
                    else { return nil }
                    return kernel["id"]?.text
                }
                #expect(try await end(session, rig) == "KR-KERNEL-UNKNOWN")
            }
        }
    }
}
