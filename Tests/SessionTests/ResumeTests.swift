import FakeJupyter
import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// A relayd that takes up what another has begun.
    @Suite struct ResumeTests {
        /// Ends when it is told to, in a way of its own.
        private static let obedient = "trap 'exit 9' USR1; while :; do sleep 0.02; done"

        private func handOver(_ rig: Rig, _ shim: RawShim) async throws {
            let supervisor = rig.relayd.supervisor
            #expect(await ends(within: .seconds(10)) { await supervisor.handOver() })
            shim.close()
            try rig.startAgain()
        }

        @Test func aKernelThatRuns() async throws {
            try await withRig { rig in
                let launch = try rig.launch(Self.obedient)
                let (shim, keepsake) = try await rig.running(launch)
                let before = try #require(rig.kernels().min())
                let gate = await rig.status("gates").first?["pid"]
                try await handOver(rig, shim)
                #expect(rig.kernels().contains(before))
                let again = try rig.shim()
                again.send(.resume(request: 1, launch, keepsake))
                #expect(try await again.launched() == keepsake)
                #expect(await rig.sessions() == [keepsake.kernel])
                #expect(await rig.status("gates").first?["pid"] == gate, "the same secret, the same gate")
                again.send(.signal(number: SIGUSR1))
                #expect(try await again.exit().cause == .code(9))
            }
        }

        @Test func oneThatHasEndedMeanwhile() async throws {
            try await withRig { rig in
                let launch = try rig.launch(
                    "until [ -e \(rig.path("go-on")) ]; do sleep 0.02; done; echo last; exit 5")
                let (shim, keepsake) = try await rig.running(launch)
                try await handOver(rig, shim)
                rig.touch("go-on")
                try await rig.untilGone()
                let again = try rig.shim()
                again.send(.resume(request: 1, launch, keepsake))
                // It may be told that it was launched before it is told of the end.
                let first = try await again.take("an answer") { $0 }
                let exit = if case .exited(let exit) = first { exit } else { try await again.exit() }
                #expect(exit.cause == .code(5))
                #expect(String(decoding: exit.tail, as: UTF8.self) == "last\n")
                #expect(try await again.isEnded())
            }
        }

        @Test func oneThatItsGateDoesNotKnow() async throws {
            try await withRig { rig in
                let (first, keepsake) = try await rig.running(rig.launch())
                var other = keepsake
                other.kernel = "nobody"
                let shim = try rig.shim()
                shim.send(.resume(request: 1, try rig.launch(named: "other"), other))
                #expect(try await shim.failure() == "KR-GATE-LOST")
                #expect(rig.kernels(named: "other").isEmpty && !rig.kernels().isEmpty)
                #expect(await rig.sessions() == [keepsake.kernel])
                first.close()
            }
        }

        @Test func oneWhoseGateIsGone() async throws {
            try await withRig { rig in
                let launch = try rig.launch()
                let (shim, keepsake) = try await rig.running(launch)
                try await handOver(rig, shim)
                kill(try #require(rig.engine.gates.first), SIGKILL)
                for pid in rig.kernels() { kill(pid, SIGKILL) }
                let again = try rig.shim()
                again.send(.resume(request: 1, launch, keepsake))
                #expect(try await again.failure() == "KR-GATE-LOST")
            }
        }

        /// Nobody can look for it at once; it is there when a cell asks, and is the same.
        @Test func oneWhoseContainerIsPausedMeanwhile() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let shared = rig.path("shared")
                let launch = try rig.launch(
                    "cp \"$1\" \(shared).new; mv \(shared).new \(shared); exec sleep 1000",
                    file: notebook.file, onFailure: .kernel)
                let (shim, keepsake) = try await rig.running(launch)
                let info = try await eventually("its file") { try? ConnectionInfo(contentsOf: shared) }
                let kernel = FakeKernel(.ipc(prefix: info.ip, key: keepsake.key))
                try await onThread { try kernel.start() }
                let before = rig.kernels()
                try await handOver(rig, shim)
                try rig.engine.setState("paused")
                let again = try rig.shim()
                again.send(.resume(request: 1, launch, keepsake))
                #expect(try await trouble(again) == "KR-CONTAINER-PAUSED")
                #expect(try await execute(notebook.address, "error"))
                #expect(try await trouble(again) == "KR-CONTAINER-PAUSED")
                try rig.engine.setState("running")
                async let answered = execute(notebook.address, "ok")
                #expect(try await again.launched() == keepsake)
                #expect(try await answered)
                #expect(rig.kernels() == before)
                try await onThread { kernel.stop() }
            }
        }

        /// A container made anew under the same name has another id.
        @Test func oneWhoseContainerWasMadeAnew() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let launch = try rig.launch(file: notebook.file, onFailure: .kernel)
                let (shim, keepsake) = try await rig.running(launch)
                try await handOver(rig, shim)
                rig.touch("gone-\(keepsake.containerID)")
                let again = try rig.shim()
                again.send(.resume(request: 1, launch, keepsake))
                #expect(try await trouble(again) == "KR-CONTAINER-MISSING")
                #expect(try await execute(notebook.address, "error"), "the news first")
                async let another = execute(notebook.address, "error")
                #expect(try await again.launched().kernel != keepsake.kernel)
                again.send(.signal(number: SIGINT))
                #expect(try await another)
            }
        }

        private func trouble(_ shim: RawShim) async throws -> String {
            try await shim.take("trouble") { if case .trouble(let code, _, _) = $0 { code } else { nil } }
        }

        /// Whether a cell's answer is such a one.
        private func execute(_ address: PeerAddress, _ status: String) async throws -> Bool {
            try await onThread {
                let client = try FakeClient(address)
                defer { client.close() }
                let id = try client.request("execute_request", content: #"{"code": "1"}"#)
                let reply = try client.reply(to: id, timeout: 20_000)
                return JSONText.string("status", in: reply.content) == status
            }
        }

        @Test func oneThatAnotherConnectionHas() async throws {
            try await withRig { rig in
                let launch = try rig.launch()
                let (first, keepsake) = try await rig.running(launch)
                let other = try rig.shim()
                other.send(.resume(request: 1, launch, keepsake))
                #expect(try await other.failure() == "KR-KERNEL-TAKEN")
                other.close()
                // Its end is not the kernel's end.
                try await Task.sleep(for: .milliseconds(100))
                #expect(await rig.sessions() == [keepsake.kernel])
                first.close()
            }
        }

        /// What a client says reaches the kernel, before and after, at the same ports.
        @Test func messagesPassBeforeAndAfter() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let shared = rig.path("shared")
                let launch = try rig.launch(
                    "cp \"$1\" \(shared).new; mv \(shared).new \(shared); exec sleep 1000",
                    file: notebook.file)
                let (shim, keepsake) = try await rig.running(launch)
                // The process is the shell; what speaks for it is this test's.
                let info = try await eventually("its file") { try? ConnectionInfo(contentsOf: shared) }
                let kernel = FakeKernel(.ipc(prefix: info.ip, key: keepsake.key))
                try await onThread { try kernel.start() }
                try await ask(notebook.address)
                let route = await rig.status("kernels").first?["route"]?.text
                #expect(route == "published")
                try await handOver(rig, shim)
                let again = try rig.shim()
                again.send(.resume(request: 1, launch, keepsake))
                #expect(try await again.launched() == keepsake)
                try await ask(notebook.address)
                try await onThread { kernel.stop() }
            }
        }

        private func ask(_ address: PeerAddress) async throws {
            let type = try await onThread {
                let client = try FakeClient(address)
                defer { client.close() }
                return try client.reply(to: client.request("kernel_info_request"), timeout: 15_000).type
            }
            #expect(type == "kernel_info_reply")
        }
    }
}
