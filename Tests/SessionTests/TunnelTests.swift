import CLinux
import FakeJupyter
import Foundation
import Glibc
import Host
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// Kernels that are reached over the gate's link.
    @Suite struct TunnelTests {
        /// A kernel whose process is a shell, and for which the test speaks.
        private struct Running {
            let notebook: PeerAddress
            let launch: ControlRequest.Launch
            let shim: RawShim
            let keepsake: ControlRequest.Keepsake
            let kernel: FakeKernel
        }

        private func start(
            _ rig: Rig, _ route: ControlRequest.Launch.Route,
            _ change: (inout ControlRequest.Launch) -> Void = { _ in }
        ) async throws -> Running {
            let notebook = try rig.notebook()
            let shared = rig.path("shared")
            var launch = try rig.launch(
                """
                printf %s "$SSH_AUTH_SOCK" > \(rig.path("agent-inside"))
                cp "$1" \(shared).new; mv \(shared).new \(shared); exec sleep 1000
                """, file: notebook.file)
            launch.route = route
            change(&launch)
            let (shim, keepsake) = try await rig.running(launch)
            let info = try await eventually("its file") { try? ConnectionInfo(contentsOf: shared) }
            let kernel = FakeKernel(.ipc(prefix: info.ip, key: keepsake.key))
            try await onThread { try kernel.start() }
            return .init(
                notebook: notebook.address, launch: launch, shim: shim, keepsake: keepsake, kernel: kernel)
        }

        private func ask(_ address: PeerAddress) async throws {
            let type = try await onThread {
                let client = try FakeClient(address)
                defer { client.close() }
                return try client.reply(to: client.request("kernel_info_request"), timeout: 15_000).type
            }
            #expect(type == "kernel_info_reply")
        }

        private func sockets(_ rig: Rig) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: rig.folder).filter { $0.hasPrefix("tunnel-") }
        }

        private func connections(_ rig: Rig) async throws -> Int {
            let session = try #require(await rig.relayd.supervisor.kernels.values.first)
            return try #require(await session.statistics).kernelConnections
        }

        @Test func aLostLinkIsNotNoticed() async throws {
            try await withRig { rig in
                let running = try await start(rig, .tunnel)
                try await ask(running.notebook)
                #expect(await rig.status("kernels").first?["route"]?.text == "tunnel")
                // Beside what is sent the link is away for a second.
                try rig.engine.become(.slow)
                try #require(rig.engine.links.last).cut()
                try await ask(running.notebook)
                #expect(rig.engine.links.last?.joins == true)
                #expect(try await connections(rig) == 1, "the relay has had one kernel, and no other")
                try await onThread { running.kernel.stop() }
            }
        }

        /// Its link is made by other hands than a container's. Streams and link on different queues end the process.
        @Test func aCommandOnTheHostHasStreamsToo() async throws {
            try await withRig { rig in
                let agent = try UnixListener(rig.path("agent"))
                let running = try await start(rig, .tunnel) { launch in
                    launch.container = ""
                    launch.hostEnvironment = rig.engine.environment
                    // What relayd hands on to a gate of the host's has such names; by its end the rig finds it.
                    launch.engineEnvironment["KERNELRELAY_KR_TEST_MARK"] = rig.mark
                    launch.sshAgent = rig.path("agent")
                }
                try await ask(running.notebook)
                #expect(await rig.status("kernels").first?["route"]?.text == "tunnel")
                let inside = try String(contentsOfFile: rig.path("agent-inside"), encoding: .utf8)
                let program = try #require(try UnixStream.connect(to: inside, waiting: true))
                defer { close(program) }
                #expect(send(program, "ask", 3, Int32(MSG_NOSIGNAL)) == 3)
                var words = [UInt8](repeating: 0, count: 3)
                func hears(_ descriptor: Int32) -> Bool {
                    recv(descriptor, &words, 3, Int32(MSG_DONTWAIT)) == 3
                }
                // The launch has looked whether anybody listens, by a connection of its own.
                var served: [Int32] = []
                defer { for descriptor in served { close(descriptor) } }
                let asked = try await eventually("the question") { () -> Int32? in
                    let descriptor = accept4(agent.descriptor, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
                    if descriptor >= 0 { served.append(descriptor) }
                    return served.first(where: hears)
                }
                #expect(words == Array("ask".utf8))
                #expect(send(asked, "say", 3, Int32(MSG_NOSIGNAL)) == 3)
                try await eventually("the answer") { hears(program) ? () : nil }
                #expect(words == Array("say".utf8))
                try await onThread { running.kernel.stop() }
            }
        }

        @Test func theNextRelaydHasATunnelToo() async throws {
            try await withRig { rig in
                let running = try await start(rig, .tunnel)
                try await ask(running.notebook)
                let place = try #require(try sockets(rig).first)
                var facts = stat()
                #expect(lstat(rig.path(place), &facts) == 0 && facts.st_mode == S_IFSOCK | 0o600)
                let supervisor = rig.relayd.supervisor
                #expect(await ends(within: .seconds(10)) { await supervisor.handOver() })
                #expect(try sockets(rig).isEmpty)
                running.shim.close()
                try rig.startAgain()
                let again = try rig.shim()
                again.send(.resume(request: 1, running.launch, running.keepsake))
                #expect(try await again.launched() == running.keepsake)
                try await ask(running.notebook)
                #expect(await rig.status("kernels").first?["route"]?.text == "tunnel")
                again.close()
                try await rig.untilNoSession()
                #expect(try sockets(rig).isEmpty)
                try await onThread { running.kernel.stop() }
            }
        }

        /// The tunnel is tried beside all others, and goes when one of them is better.
        @Test func aBetterWayWins() async throws {
            try await withRig { rig in
                let running = try await start(rig, .auto)
                try await ask(running.notebook)
                #expect(await rig.status("kernels").first?["route"]?.text == "published")
                #expect(try sockets(rig).isEmpty)
                try await onThread { running.kernel.stop() }
            }
        }

        /// Of a relayd that was killed nobody else would take them away.
        @Test func abandonedSocketsAreTakenAway() async throws {
            try await withRig { rig in
                let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                let failed = UnixName.with(rig.path("tunnel-gone")) { bind(left, $0, $1) }
                try #require(failed == 0)
                close(left)
                #expect(try sockets(rig) == ["tunnel-gone"])
                try rig.startAgain()
                #expect(try sockets(rig).isEmpty)
            }
        }
    }
}
