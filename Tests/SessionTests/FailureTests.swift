import FakeJupyter
import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// Without a kernel the session goes on: cells are told why, and the next one gets a kernel.
    @Suite struct FailureTests {
        /// Leaves its connection file where a test finds it, and ends when it is told to.
        private static func script(_ rig: Rig, _ rest: String = "exec sleep 1000") -> String {
            let shared = rig.path("shared")
            return "cp \"$1\" \(shared).$$; mv \(shared).$$ \(shared); \(rest)"
        }

        private func launch(_ rig: Rig, _ file: String, _ script: String? = nil) throws
            -> ControlRequest.Launch
        {
            try rig.launch(script ?? Self.script(rig), file: file, onFailure: .kernel)
        }

        private func trouble(_ shim: RawShim, within limit: Duration = .seconds(20)) async throws -> String {
            try await shim.take("trouble", within: limit) {
                if case .trouble(let code, _, _) = $0 { code } else { nil }
            }
        }

        /// The process is a shell; what speaks for it is this test's.
        private func speaker(_ rig: Rig, _ key: String) async throws -> FakeKernel {
            let info = try await eventually("its file") {
                try? ConnectionInfo(contentsOf: rig.path("shared"))
            }
            try? FileManager.default.removeItem(atPath: rig.path("shared"))
            let kernel = FakeKernel(.ipc(prefix: info.ip, key: key))
            try await onThread { try kernel.start() }
            return kernel
        }

        /// A client that is waited for without holding up relayd.
        ///
        /// Concurrency: used by one task at a time, which waits for each call.
        private final class Person: @unchecked Sendable {
            private let client: FakeClient

            private init(_ client: FakeClient) { self.client = client }
            deinit { client.close() }

            static func at(_ address: PeerAddress) async throws -> Person {
                try await onThread {
                    let client = try FakeClient(address)
                    try client.settle(timeout: 15_000)
                    return Person(client)
                }
            }

            func send() async throws -> String {
                try await onThread { [self] in
                    try client.request("execute_request", content: #"{"code": "1"}"#)
                }
            }

            /// The reply's content, once it and the idle after it have come.
            func answer(_ id: String) async throws -> (status: String, name: String, text: String) {
                try await onThread { [self] in
                    let reply = try client.reply(to: id, timeout: 20_000)
                    _ = try client.outputs(of: id, timeout: 5000)
                    return (
                        JSONText.string("status", in: reply.content) ?? "",
                        JSONText.string("ename", in: reply.content) ?? "", reply.contentText
                    )
                }
            }

            func ask(_ type: String) async throws -> String {
                try await onThread { [self] in try client.ask(type, on: .control, timeout: 15_000).type }
            }
        }

        @Test func aLaunchThatFailsAndIsMended() async throws {
            try await withRig { rig in
                try rig.engine.setState("paused")
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                #expect(try await trouble(shim) == "KR-CONTAINER-PAUSED")
                #expect(await rig.status("kernels").first?["state"] == "failed")
                let client = try await Person.at(notebook.address)
                let told = try await client.answer(client.send())
                #expect(told.status == "error" && told.name == "KR-CONTAINER-PAUSED")
                #expect(try await trouble(shim) == "KR-CONTAINER-PAUSED")
                #expect(rig.engine.execs.isEmpty)
                try rig.engine.setState("running")
                let id = try await client.send()
                let keepsake = try await shim.launched()
                let kernel = try await speaker(rig, keepsake.key)
                #expect(try await client.answer(id).status == "ok")
                #expect(kernel.record.messages(on: .shell).map(\.id) == [id])
                #expect(await rig.status("kernels").first?["state"] == "running")
                try await onThread { kernel.stop() }
            }
        }

        @Test func aKernelThatDiesUnderACell() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                let script = Self.script(rig, "trap 'exit 7' USR1; while :; do sleep 0.02; done")
                shim.launch(try launch(rig, notebook.file, script))
                let first = try await shim.launched()
                let kernel = try await speaker(rig, first.key)
                let client = try await Person.at(notebook.address)
                kernel.pauseReading([.shell])
                let id = try await client.send()
                // It has been handed on when what was sent after it by another way has been answered.
                _ = try await client.ask("next_request")
                try await Task.sleep(for: .milliseconds(100))
                for pid in rig.kernels() { kill(pid, SIGUSR1) }
                try await onThread { kernel.stop() }
                let told = try await client.answer(id)
                #expect(told.status == "error" && told.name == "KR-KERNEL-FAILED")
                #expect(try await trouble(shim) == "KR-KERNEL-FAILED")
                let next = try await client.send()
                let second = try await shim.launched()
                #expect(second.kernel != first.kernel && second.key != first.key)
                let other = try await speaker(rig, second.key)
                #expect(try await client.answer(next).status == "ok")
                try await onThread { other.stop() }
            }
        }

        @Test func aDeathWhileNobodyWaits() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                let kernel = try await speaker(rig, shim.launched().key)
                let client = try await Person.at(notebook.address)
                for pid in rig.kernels() { kill(pid, SIGKILL) }
                try await onThread { kernel.stop() }
                #expect(try await trouble(shim) == "KR-KERNEL-KILLED")
                let told = try await client.answer(client.send())
                #expect(told.status == "error" && told.name == "KR-KERNEL-KILLED")
                #expect(rig.kernels().isEmpty, "the news comes before another kernel")
                let next = try await client.send()
                let other = try await speaker(rig, shim.launched().key)
                #expect(try await client.answer(next).status == "ok")
                try await onThread { other.stop() }
            }
        }

        /// Its cells are told, and then the shim ends as the kernel did.
        @Test func withoutStandInTheShimEnds() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let (shim, keepsake) = try await rig.running(
                    rig.launch(Self.script(rig), file: notebook.file, onFailure: .exit))
                let kernel = try await speaker(rig, keepsake.key)
                let client = try await Person.at(notebook.address)
                kernel.pauseReading([.shell])
                let id = try await client.send()
                _ = try await client.ask("next_request")
                try await Task.sleep(for: .milliseconds(100))
                for pid in rig.kernels() { kill(pid, SIGKILL) }
                try await onThread { kernel.stop() }
                #expect(try await client.answer(id).name == "KR-KERNEL-KILLED")
                #expect(try await shim.exit().cause == .signal(SIGKILL, coreDumped: false))
                #expect(try await shim.isEnded())
            }
        }

        @Test func whatWasAskedForIsNoFailure() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let (shim, _) = try await rig.running(rig.launch(file: notebook.file, onFailure: .kernel))
                shim.send(.signal(number: SIGTERM))
                #expect(try await shim.exit().cause == .signal(SIGTERM, coreDumped: false))
                #expect(try await shim.isEnded())
            }
        }

        @Test func itDiedAtStart() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file, "echo no luck >&2; exit 3"))
                _ = try await shim.launched()
                #expect(try await trouble(shim) == "KR-KERNEL-START")
                let client = try await Person.at(notebook.address)
                let text = try await client.answer(client.send()).text
                #expect(text.contains("no luck") && text.contains("exit code 3"))
            }
        }

        @Test func theTimeIsOver() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                var launch = try launch(rig, notebook.file)
                launch.timeoutMilliseconds = 5000
                shim.launch(launch)
                _ = try await shim.launched()
                #expect(try await trouble(shim) == "KR-LAUNCH-TIMEOUT")
                try await rig.untilGone()
            }
        }

        /// Also while the engine says nothing.
        @Test func theTimeIsOverBeforeThereIsAGate() async throws {
            try await withRig { rig in
                try rig.engine.become(.silent)
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                var launch = try launch(rig, notebook.file)
                launch.timeoutMilliseconds = 1000
                shim.launch(launch)
                #expect(try await trouble(shim, within: .seconds(10)) == "KR-LAUNCH-TIMEOUT")
                shim.close()
                for pid in rig.processes() { kill(pid, SIGKILL) }
            }
        }

        @Test func aClientEndsItAsItWouldAKernel() async throws {
            try await withRig { rig in
                try rig.engine.setState("exited")
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                #expect(try await trouble(shim) == "KR-CONTAINER-STOPPED")
                let client = try await Person.at(notebook.address)
                #expect(try await client.ask("shutdown_request") == "shutdown_reply")
                #expect(try await shim.exit().cause == .code(0))
                #expect(try await shim.isEnded())
            }
        }

        @Test func itsShimGoes() async throws {
            try await withRig { rig in
                try rig.engine.setState("exited")
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                _ = try await trouble(shim)
                shim.close()
                try await rig.untilNoSession(within: .seconds(5))
                #expect(Rig.areFree(notebook.address))
            }
        }

        /// The next relayd is asked for a launch, and stands in at the same ports.
        @Test func relaydGivesItToTheNext() async throws {
            try await withRig { rig in
                try rig.engine.setState("exited")
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                _ = try await trouble(shim)
                let supervisor = rig.relayd.supervisor
                #expect(await ends(within: .seconds(10)) { await supervisor.handOver() })
                #expect(Rig.areFree(notebook.address))
                shim.close()
                try rig.startAgain()
                let again = try rig.shim()
                again.launch(try launch(rig, notebook.file))
                #expect(try await trouble(again) == "KR-CONTAINER-STOPPED")
                let client = try await Person.at(notebook.address)
                #expect(try await client.answer(client.send()).name == "KR-CONTAINER-STOPPED")
            }
        }

        @Test func aKernelThatItsGateDoesNotKnow() async throws {
            try await withRig { rig in
                let (first, keepsake) = try await rig.running(rig.launch(named: "first"))
                var other = keepsake
                other.kernel = "nobody"
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.send(.resume(request: 1, try launch(rig, notebook.file), other))
                #expect(try await trouble(shim) == "KR-GATE-LOST")
                let client = try await Person.at(notebook.address)
                #expect(try await client.answer(client.send()).name == "KR-GATE-LOST", "the news first")
                let id = try await client.send()
                let kernel = try await speaker(rig, shim.launched().key)
                #expect(try await client.answer(id).status == "ok")
                first.close()
                try await onThread { kernel.stop() }
            }
        }

        @Test func anInterruptEndsTheAttempt() async throws {
            try await withRig { rig in
                try rig.engine.setState("exited")
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                _ = try await trouble(shim)
                let client = try await Person.at(notebook.address)
                try rig.engine.setState("running")
                let id = try await client.send()
                _ = try await shim.launched()
                _ = try await client.ask("interrupt_request")
                #expect(try await client.answer(id).name == "KR-LAUNCH-INTERRUPTED")
                try await rig.untilGone()
            }
        }

        /// Where kernel.json says that signals interrupt, Jupyter sends one.
        @Test func aSignalInterruptsTheAttemptToo() async throws {
            try await withRig { rig in
                try rig.engine.setState("exited")
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                _ = try await trouble(shim)
                let client = try await Person.at(notebook.address)
                shim.send(.signal(number: SIGINT))
                try rig.engine.setState("running")
                let id = try await client.send()
                _ = try await shim.launched()
                shim.send(.signal(number: SIGINT))
                #expect(try await client.answer(id).name == "KR-LAUNCH-INTERRUPTED")
                try await rig.untilGone()
            }
        }

        /// The relay answers it in the kernel's place.
        @Test func aShutdownDuringAnAttemptEndsIt() async throws {
            try await withRig { rig in
                try rig.engine.setState("exited")
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                _ = try await trouble(shim)
                let client = try await Person.at(notebook.address)
                try rig.engine.setState("running")
                let id = try await client.send()
                _ = try await shim.launched()
                #expect(try await client.ask("shutdown_request") == "shutdown_reply")
                #expect(try await shim.exit().cause == .code(0))
                #expect(try await client.answer(id).status == "error")
                #expect(try await shim.isEnded())
                try await rig.untilGone()
            }
        }

        @Test(arguments: [false, true])
        func aCellThatWaitsIsAnsweredWhenRelaydEnds(isHandedOver: Bool) async throws {
            try await withRig { rig in
                try rig.engine.setState("exited")
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                _ = try await trouble(shim)
                let client = try await Person.at(notebook.address)
                try rig.engine.setState("running")
                try rig.engine.become(.silent)
                let id = try await client.send()
                try await eventually("an attempt") { rig.engine.execs.isEmpty ? nil : () }
                let supervisor = rig.relayd.supervisor
                async let ended = ends(within: .seconds(60)) {
                    if isHandedOver {
                        await supervisor.handOver()
                    } else {
                        await supervisor.stop(grace: .zero)
                    }
                }
                #expect(try await client.answer(id).status == "error")
                for pid in rig.processes() { kill(pid, SIGKILL) }
                #expect(await ended)
                shim.close()
            }
        }

        @Test func portsThatAreTakenForAWhile() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                var holder: TakenPorts? = try TakenPorts(notebook.address, [.control, .hb])
                let shim = try rig.shim()
                shim.launch(try launch(rig, notebook.file))
                #expect(try await trouble(shim) == "KR-PORT-IN-USE")
                let client = try await Person.at(notebook.address)
                #expect(try await client.answer(client.send()).name == "KR-PORT-IN-USE")
                #expect(try await trouble(shim) == "KR-PORT-IN-USE")
                withExtendedLifetime(holder) {}
                holder = nil
                let id = try await client.send()
                let kernel = try await speaker(rig, shim.launched().key)
                #expect(try await client.answer(id).status == "ok")
                try await onThread { kernel.stop() }
            }
        }
    }

    @Suite struct AftermathTests {
        @Test func whoWantedTheEnd() {
            typealias Row = (Aftermath, GateReport.Exit.Cause, Bool)
            func after(reached: Bool = true, shutDown: Bool = false, _ signals: Int32...) -> Aftermath {
                var after = Aftermath()
                after.wasReached = reached
                after.wasShutDown = shutDown
                for signal in signals { after.passed(signal) }
                return after
            }
            let table: [Row] = [
                (after(), .code(0), false), (after(reached: false), .code(0), true),
                (after(), .code(1), true),
                (after(), .signal(SIGKILL, coreDumped: false), true),
                (after(shutDown: true), .code(1), false),
                (after(shutDown: true), .signal(SIGSEGV, coreDumped: true), false),
                (after(SIGTERM), .code(143), false),
                (after(SIGHUP), .signal(SIGHUP, coreDumped: false), false),
                (after(SIGINT), .signal(SIGINT, coreDumped: false), true), (after(SIGINT), .code(1), true),
                (after(SIGUSR1), .signal(SIGUSR1, coreDumped: false), false),
                (after(SIGUSR1), .signal(SIGSEGV, coreDumped: false), true),
                (after(reached: false, SIGTERM), .code(0), false),
            ]
            for (after, cause, isUnwanted) in table {
                #expect(after.isUnwanted(cause) == isUnwanted, "\(after) \(cause)")
            }
        }
    }
}
