import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// Gates that outlive their kernels, and relayds.
    @Suite struct GateSharingTests {
        private func gate(_ rig: Rig, _ pool: GatePool, user: String? = nil) async throws -> GateSession {
            let engine = Engine(.init(command: rig.engine.client, environment: rig.engine.environment))
            return try await pool.gate(
                engine: engine, container: engine.runningContainer("box"), user: user, ports: rig.gatePorts)
        }

        @Test func aGateWithoutKernelsIsKeptAndThenClosed() async throws {
            try await withRig { rig in
                let pool = GatePool(secret: try GateSecret(folder: rig.folder))
                let first = try await gate(rig, pool)
                #expect(await first.closeIfIdle(for: Tuning.gateIdle) == false)
                #expect(try await gate(rig, pool) === first)
                let events = await first.events(of: "k")
                #expect(await first.closeIfIdle(for: .zero) == false, "it has a kernel")
                await first.forget("k")
                for await _ in events { Issue.record("nothing happened to it") }
                #expect(await first.closeIfIdle(for: .zero))
                #expect(await first.isOpen() == false)
                // Who comes now does not get the one that is about to be stopped.
                let second = try await gate(rig, pool)
                #expect(second !== first)
                #expect(
                    await second.welcome.pid == first.welcome.pid, "it was not stopped yet, and is joined")
                await pool.close(stopping: true)
                #expect(rig.engine.links.count == 3, "a start, one that found it running, and a join")
                let refused = await #expect(throws: Refusal.self) { try await gate(rig, pool) }
                #expect(refused?.code == "KR-RELAYD-STOPPING")
            }
        }

        /// As with a container that is removed and made anew: nobody asks for the old one's gate any more.
        @Test func aGateThatIsLostIsForgotten() async throws {
            try await withRig { rig in
                let pool = GatePool(secret: try GateSecret(folder: rig.folder))
                func lost() async throws -> GateSession {
                    let gate = try await gate(rig, pool)
                    kill(Int32(await gate.welcome.pid), SIGKILL)
                    try await eventually("its end") { await gate.isClosing ? () : nil }
                    return gate
                }
                let first = try await lost()
                await pool.stopIfIdle(first)
                #expect(await pool.gates.isEmpty)
                #expect(await pool.all.isEmpty)
                // It takes none with it that came in between.
                let second = try await lost()
                let third = try await gate(rig, pool)
                await pool.stopIfIdle(second)
                #expect(try await gate(rig, pool) === third)
                await pool.close(stopping: true)
            }
        }

        @Test func thoseWhoAskAtOnceGetOneGate() async throws {
            try await withRig { rig in
                let pool = GatePool(secret: try GateSecret(folder: rig.folder))
                let gates = try await withThrowingTaskGroup(of: GateSession.self) { group in
                    for user in [nil, "root", "0", "0:0", ""] {
                        group.addTask { try await self.gate(rig, pool, user: user == "" ? nil : user) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(gates.allSatisfy { $0 === gates[0] })
                #expect(rig.engine.execs.count == 1)
                await pool.close(stopping: true)
            }
        }

        /// Two relayds of one folder make the same token; the newer link is the link.
        @Test func twoRelaydsOfOneFolderHaveOneGate() async throws {
            try await withRig { rig in
                let one = GatePool(secret: try GateSecret(folder: rig.folder))
                let other = GatePool(secret: try GateSecret(folder: rig.folder))
                let first = try await gate(rig, one)
                let second = try await gate(rig, other)
                #expect(await first.welcome.pid == second.welcome.pid)
                try await eventually("the older link's end") { await first.isOpen() ? nil : () }
                #expect(await second.isOpen())
                await one.close(stopping: false)
                await other.close(stopping: true)
            }
        }

        @Test func anotherFoldersRelaydHasAGateOfItsOwn() async throws {
            try await withRig { rig in
                let elsewhere = rig.path("elsewhere")
                #expect(mkdir(elsewhere, 0o700) == 0)
                let one = GatePool(secret: try GateSecret(folder: rig.folder))
                let other = GatePool(secret: try GateSecret(folder: elsewhere))
                let first = try await gate(rig, one)
                let second = try await gate(rig, other)
                #expect(await first.welcome.pid != second.welcome.pid)
                #expect(await second.welcome.ports.count == 1, "the exposed ports were taken")
                await one.close(stopping: true)
                await other.close(stopping: true)
            }
        }

        /// A secret that was lost: what stands is a stranger's under another name, and is not taken over.
        @Test func aSecretThatCannotBeUsed() throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let file = "\(folder)/secret"
            let before = try GateSecret(folder: folder).token(container: "a", user: "0")
            // Cut off by a full disk: there is no telling what it was.
            for bytes in [Data(), Data("short".utf8)] {
                try bytes.write(to: URL(filePath: file))
                let token = try GateSecret(folder: folder).token(container: "a", user: "0")
                #expect(token != before)
                #expect(try GateSecret(folder: folder).token(container: "a", user: "0") == token)
            }
            // Bytes that are no text are a secret as good as any.
            try Data((0..<64).map { UInt8(255 - $0) }).write(to: URL(filePath: file))
            let token = try GateSecret(folder: folder).token(container: "a", user: "0")
            #expect(try GateSecret(folder: folder).token(container: "a", user: "0") == token)
            // What is there and cannot be read is not replaced.
            try Data(count: 5000).write(to: URL(filePath: file))
            #expect(throws: RelayError.self) { try GateSecret(folder: folder) }
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
            #expect(throws: RelayError.self) { try GateSecret(folder: folder) }
        }
    }
}
