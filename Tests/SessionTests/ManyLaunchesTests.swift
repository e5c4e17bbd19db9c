import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// Kernels that are started at the same moment.
    @Suite struct ManyLaunchesTests {
        private static let count = 12

        private func launchAll(_ rig: Rig) throws -> [RawShim] {
            let launches = try (0..<Self.count).map { try rig.launch(named: "k\($0)") }
            return try launches.map { launch in
                let shim = try rig.shim()
                shim.launch(launch)
                return shim
            }
        }

        @Test func oneOpeningThatFailsIsTheFailureOfAll() async throws {
            try await withRig { rig in
                try rig.engine.become(.fails)
                let shims = try launchAll(rig)
                try await eventually("all at the first one's gate") {
                    var waiting = 0
                    for session in await rig.relayd.supervisor.kernels.values
                    where await session.phases.current == .gate { waiting += 1 }
                    return waiting == Self.count && rig.engine.execs.count == 1 ? () : nil
                }
                try rig.engine.letGo()
                for shim in shims { #expect(try await shim.failure(within: .seconds(10)) == "KR-GATE-COPY") }
                #expect(rig.engine.execs.count == 1)
                try await rig.untilNoSession()
                // Who comes later tries again.
                try rig.engine.become(.works)
                _ = try await rig.running(rig.launch())
                #expect(rig.engine.execs.count == 2)
            }
        }

        @Test func oneContainerHasOneGate() async throws {
            try await withRig { rig in
                let shims = try launchAll(rig)
                var names: Set<String> = []
                for shim in shims { names.insert(try await shim.launched().kernel) }
                #expect(names.count == Self.count)
                #expect(Set(await rig.sessions()) == names)
                #expect(rig.engine.execs.count == 1 && rig.engine.links.count == 1)
                for number in 0..<Self.count { #expect(!rig.kernels(named: "k\(number)").isEmpty) }
                // The end of one is the end of one.
                shims[0].close()
                try await rig.untilGone("k0")
                for number in 1..<Self.count { #expect(!rig.kernels(named: "k\(number)").isEmpty) }
                #expect(await rig.status("gates").count == 1)
            }
        }

        @Test func twoUsersHaveAGateEach() async throws {
            try await withRig { rig in
                let (one, _) = try await rig.running(rig.launch(named: "one"))
                let (other, _) = try await rig.running(rig.launch(named: "other", user: "1000"))
                #expect(rig.engine.execs.count == 2)
                #expect(rig.engine.execs.last?.dropFirst(2).prefix(2) == ["--user", "1000"])
                let ports = await rig.status("gates").compactMap { $0["ports"]?.fields }
                #expect(ports.count == 2)
                let exposed = Set(rig.gatePorts.values.map { Int64($0) })
                let apart = ports.filter { exposed.isDisjoint(with: $0.values.compactMap(\.integer)) }
                #expect(apart.count == 1 && apart.first?.count == 1)
                // root by another name is the first one's.
                _ = try await rig.running(rig.launch(named: "third", user: "root"))
                #expect(rig.engine.execs.count == 2)
                one.close()
                try await rig.untilGone("one")
                #expect(!rig.kernels(named: "other").isEmpty)
                other.send(.signal(number: SIGKILL))
                #expect(try await other.exit().cause == .signal(SIGKILL, coreDumped: false))
            }
        }
    }
}
