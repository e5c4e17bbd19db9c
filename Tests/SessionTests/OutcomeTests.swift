import CLinux
import FakeJupyter
import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// How launches and kernels end, as a shim hears of it.
    @Suite struct OutcomeTests {
        @Test func anExitCodeAndTheLastWords() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch("echo some; echo words >&2; exit 7"))
                let exit = try await shim.exit()
                #expect(exit.cause == .code(7) && exit.left == 0 && !exit.oomKilled)
                #expect(String(decoding: exit.tail, as: UTF8.self).contains("words"))
                #expect(shim.outputBytes == 11 && shim.notes == "words\n")
                #expect(try await shim.isEnded())
                #expect(await rig.sessions().isEmpty)
            }
        }

        @Test(arguments: [SIGTERM, SIGKILL, SIGABRT])
        func aSignalOfItsOwn(_ number: Int32) async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch("ulimit -c 0; kill -\(number) $$"))
                #expect(try await shim.exit().cause == .signal(number, coreDumped: false))
            }
        }

        @Test func aSignalOfTheShims() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(
                    rig.launch("trap 'echo heard; exit 6' INT; echo up; while :; do sleep 0.02; done"))
                _ = try await shim.take("its word") { if case .output = $0 { true } else { nil } }
                shim.send(.signal(number: SIGINT))
                let exit = try await shim.exit()
                #expect(
                    exit.cause == .code(6) && String(decoding: exit.tail, as: UTF8.self).contains("heard"))
            }
        }

        /// What a kernel leaves behind goes with it.
        @Test func theWholeTree() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(
                    rig.launch("setsid sleep 1000 & (trap '' TERM; sleep 1000) & exit 0"))
                #expect(try await shim.exit().left == 0)
                #expect(rig.kernels().isEmpty)
            }
        }

        /// Five launches, of which each fails by itself, and the sixth does not.
        @Test func whatIsMissingHasItsCode() async throws {
            try await withRig { rig in
                func failure(_ change: (inout ControlRequest.Launch) -> Void) async throws -> String {
                    var launch = try rig.launch()
                    change(&launch)
                    let shim = try rig.shim()
                    shim.launch(launch)
                    let code = try await shim.failure()
                    #expect(try await shim.isEnded())
                    return code
                }
                #expect(
                    try await failure { $0.command = "['/nowhere/program', '{connection_file}']" }
                        == "KR-GATE-COMMAND-NOT-FOUND")
                #expect(try await failure { $0.command = "'unclosed" } == "KR-COMMAND")
                #expect(try await failure { $0.workdir = "/nowhere" } == "KR-GATE-FOLDER")
                let text = rig.path("nonsense.json")
                try "nonsense".write(toFile: text, atomically: true, encoding: .utf8)
                #expect(try await failure { $0.connectionFile = text } == "KR-CONNECTION-NOT-JSON")
                #expect(
                    try await failure { $0.connectionFile = rig.path("no.json") } == "KR-CONNECTION-MISSING")
                #expect(try await failure { $0.engine = ["/nowhere/docker"] } == "KR-ENGINE-MISSING")
                #expect(
                    try await failure { $0.env = ["BIG": String(repeating: "x", count: 1 << 19)] }
                        .hasPrefix("KR-GATE-"))
                #expect(await rig.sessions().isEmpty)
                _ = try await rig.running(rig.launch())
            }
        }

        @Test(arguments: [("paused", "KR-CONTAINER-PAUSED"), ("exited", "KR-CONTAINER-STOPPED")])
        func aContainerThatDoesNotRun(state: String, code: String) async throws {
            try await withRig { rig in
                try rig.engine.setState(state)
                let notebook = try rig.notebook()
                let shim = try rig.shim()
                shim.launch(try rig.launch(file: notebook.file))
                #expect(try await shim.failure() == code)
                #expect(rig.engine.execs.isEmpty && Rig.areFree(notebook.address))
            }
        }

        @Test func portsThatAreFreedInTime() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                var holder: TakenPorts? = try TakenPorts(notebook.address)
                let shim = try rig.shim()
                shim.launch(try rig.launch(file: notebook.file))
                try await eventually("the session") { await rig.sessions().isEmpty ? nil : () }
                try await Task.sleep(for: .milliseconds(300))
                #expect(rig.engine.inspects == 0, "nothing slow before the ports are bound")
                withExtendedLifetime(holder) {}
                holder = nil
                _ = try await shim.launched()
            }
        }

        @Test func portsThatStayTaken() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let holder = try TakenPorts(notebook.address)
                let shim = try rig.shim()
                shim.launch(try rig.launch(file: notebook.file))
                #expect(try await shim.failure() == "KR-PORT-IN-USE")
                #expect(rig.engine.inspects == 0)
                withExtendedLifetime(holder) {}
            }
        }

        @Test func aConnectionHasOneKernel() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch())
                shim.send(.launch(request: 2, try rig.launch(named: "second")))
                #expect(try await shim.failure() == "KR-KERNEL-TAKEN")
                #expect(rig.kernels(named: "second").isEmpty && !rig.kernels().isEmpty)
                shim.raw(Frame(payload: Array("nonsense".utf8)).encoded!)
                #expect(try await shim.failure() == "KR-GATE-MESSAGE")
                #expect(!rig.kernels().isEmpty)
            }
        }

        /// A frame that no frame can be: the connection is over, and so is its kernel.
        @Test func aFrameThatIsTooLong() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch())
                shim.raw([0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
                try await rig.untilGone()
                #expect(try await shim.isEnded())
            }
        }

        @Test func aSignalBeforeTheKernelEndsTheLaunch() async throws {
            try await withRig { rig in
                try rig.engine.become(.slow)
                let shim = try rig.shim()
                shim.launch(try rig.launch())
                try await eventually("the exec") { rig.engine.execs.isEmpty ? nil : () }
                shim.send(.signal(number: SIGTERM))
                #expect(try await shim.failure() == "KR-KERNEL-START")
                #expect(rig.kernels().isEmpty)
            }
        }

        /// One that does not end anything waits for the kernel.
        @Test func aSignalBeforeTheKernelReachesIt() async throws {
            try await withRig { rig in
                try rig.engine.become(.slow)
                let shim = try rig.shim()
                shim.launch(try rig.launch())
                try await eventually("the exec") { rig.engine.execs.isEmpty ? nil : () }
                shim.send(.signal(number: SIGUSR1))
                _ = try await shim.launched()
                #expect(try await shim.exit().cause == .signal(SIGUSR1, coreDumped: false))
            }
        }

        /// What people ask while kernels run.
        @Test func statusAndConnection() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let (shim, keepsake) = try await rig.running(rig.launch(file: notebook.file))
                let person = try rig.shim()
                let kernels = try await person.status().fields?["kernels"]?.list
                #expect(kernels?.first?.fields?["id"]?.text == keepsake.kernel)
                person.send(.connection(request: 3, kernel: nil))
                let file = try await person.take("the file") { report -> String? in
                    if case .connection(3, keepsake.kernel, let file) = report { file } else { nil }
                }
                #expect(file.contains("notebook-key") && !file.contains(keepsake.key))
                person.send(.connection(request: 4, kernel: "nobody"))
                #expect(try await person.failure() == "KR-KERNEL-UNKNOWN")
                person.send(.stop(request: 5, graceMilliseconds: 0))
                #expect(try await shim.failure() == "KR-RELAYD-STOPPED")
                #expect(try await person.take("done") { $0 == .done(request: 5) ? true : nil })
                await rig.relayd.server.untilStopped()
                try await eventually("the end of all") { rig.processes().isEmpty ? () : nil }
            }
        }
    }
}
