import FakeJupyter
import Foundation
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// A kernel whose container, command, user, folder and variables a project's file says.
    @Suite struct ProjectTests {
        private func launch(
            _ rig: Rig, _ overrides: ProjectValues = .init(), allow: [String] = []
        ) throws -> ControlRequest.Launch {
            var launch = try rig.launch("exit 3")
            launch.container = ""
            launch.project = .init(host: "4711", overrides: overrides, allow: allow)
            return launch
        }

        private func put(_ rig: Rig, _ text: String) throws {
            let file = rig.path(ProjectFile.name)
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            try #require(chmod(file, 0o600) == 0)
        }

        private func file(_ rest: String = "") -> String {
            #"{"container": "box", "command": ["sh", "-c", "exec sleep 1000", "sh", "{connection_file}"]\#(rest)}"#
        }

        @Test func theFileSaysAll() async throws {
            try await withRig { rig in
                try put(
                    rig, file(#", "env": {"KR_KERNEL": "of-the-file"}, "user": "4711", "workdir": "/usr""#))
                let (_, keepsake) = try await rig.running(launch(rig))
                #expect(keepsake.user == "4711")
                let pid = try await eventually("the kernel") { rig.kernels(named: "of-the-file").first }
                #expect(
                    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd") == "/usr")
                let status = await rig.status("kernels").first
                #expect(status?["container"] == "box" && status?["user"] == "4711")
                #expect(rig.engine.execs.last?.contains("4711") == true)
            }
        }

        @Test func theCallersVariablesGoBeforeIt() async throws {
            try await withRig { rig in
                try put(rig, file(#", "env": {"KR_KERNEL": "of-the-file"}, "user": "nobody""#))
                let overrides = ProjectValues(user: "host", env: ["KR_KERNEL": "of-the-caller"])
                let (_, keepsake) = try await rig.running(launch(rig, overrides))
                #expect(keepsake.user == "4711")
                _ = try await eventually("the kernel") { rig.kernels(named: "of-the-caller").first }
            }
        }

        @Test func whatIsInTheWayIsSaid() async throws {
            try await withRig { rig in
                for (text, allow, code) in [
                    (nil, [], "KR-PROJECT-MISSING"), ("{", [], "KR-PROJECT-JSON"),
                    ("{}", [], "KR-PROJECT-MISSING"),
                    (#"{"image": "x"}"#, [], "KR-PROJECT-KEY"), (#"{"user": 1}"#, [], "KR-PROJECT-VALUE"),
                    (file(), ["play-*"], "KR-PROJECT-CONTAINER"),
                ] as [(String?, [String], String)] {
                    if let text { try put(rig, text) }
                    let shim = try rig.shim()
                    shim.launch(try launch(rig, allow: allow))
                    #expect(try await shim.failure() == code)
                }
                #expect(rig.engine.inspects == 0, "the engine is asked nothing on such a file's word")
            }
        }

        /// A kernel that runs is its own, whatever the file says by now.
        @Test(arguments: [nil, "{", #"{"container": "other", "user": "nobody"}"#])
        func oneThatRunsIsTakenUpAgain(text: String?) async throws {
            try await withRig { rig in
                try put(rig, file(#", "user": "4711""#))
                let launch = try launch(rig)
                let (shim, keepsake) = try await rig.running(launch)
                let supervisor = rig.relayd.supervisor
                #expect(await ends(within: .seconds(10)) { await supervisor.handOver() })
                shim.close()
                try rig.startAgain()
                if let text { try put(rig, text) } else { unlink(rig.path(ProjectFile.name)) }
                let again = try rig.shim()
                again.send(.resume(request: 1, launch, keepsake))
                #expect(try await again.launched() == keepsake)
                #expect(!rig.kernels().isEmpty)
            }
        }
    }
}
