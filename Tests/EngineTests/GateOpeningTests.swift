import Foundation
import Glibc
import Ground
import KernelRelay
import RelayLink
import Testing

/// The gate in real containers, each lacking something else.
@Suite struct GateOpeningTests {
    @Test func anImageOfNothingGetsACopy() async throws {
        let container = try await TestContainer()
        let gate = try await container.open()
        #expect(gate.welcome?.uid == 0 && gate.welcome?.kernels.isEmpty == true)
        #expect(try await container.copies().count == 1)
        #expect(await gate.stop() == .code(0))
        let again = try await container.open()
        #expect(again.welcome != nil)
        #expect(await again.stop() == .code(0))
        #expect(try await container.copies().count == 1, "it was there already")
    }

    @Test func aMountedGateNeedsNoCopy() async throws {
        let container = try await TestContainer(TestContainer.mount + ["--read-only"])
        let gate = try await container.open()
        #expect(gate.welcome != nil)
        #expect(await gate.stop() == .code(0))
        #expect(try await container.copies().isEmpty)
    }

    /// As when the mount's source has gone: Docker makes a folder of it.
    @Test func aMountThatIsNoGateIsPassedBy() async throws {
        let folder = try Scratch()
        let container = try await TestContainer(["--volume", "\(folder.path):\(GatePath.mount)"])
        let gate = try await container.open()
        #expect(gate.welcome != nil)
        #expect(try await container.copies().count == 1)
        _ = await gate.stop()
    }

    @Test func aUserWhoIsNotRoot() async throws {
        let container = try await TestContainer()
        let gate = try await container.open(user: "4321:4322")
        #expect(gate.welcome?.uid == 4321 && gate.welcome?.gid == 4322)
        _ = await gate.stop()
        let own = try await TestContainer(["--user", "77"])
        let theirs = try await own.open()
        #expect(theirs.welcome?.uid == 77)
        _ = await theirs.stop()
    }

    @Test func aShimOnlyItsOwnerMayRun() async throws {
        let folder = try Scratch()
        let shim = "\(folder.path)/relay-shim"
        try FileManager.default.copyItem(atPath: Repository.shim, toPath: shim)
        chmod(shim, 0o700)
        let container = try await TestContainer()
        let gate = try await container.open(user: "4321", shim: shim)
        #expect(gate.welcome?.uid == 4321)
        _ = await gate.stop()
    }

    @Test(arguments: ["nobody-of-this-name", "99999999999", "0:no-such-group"])
    func aUserWhomTheContainerDoesNotKnow(_ user: String) async throws {
        let container = try await TestContainer()
        let error = await code { _ = try await container.open(user: user) }
        #expect(error?.code == .gateUser && error?.context == user && error?.cause?.isEmpty == false)
        let readOnly = try await TestContainer(TestContainer.mount + ["--read-only"])
        #expect(await code { _ = try await readOnly.open(user: user) }?.code == .gateUser)
    }

    @Test func aRootThatCannotBeWritten() async throws {
        let container = try await TestContainer(["--read-only"])
        let error = await code { _ = try await container.open() }
        #expect(error?.code == .gateReadOnly && error?.context == container.name)
    }

    @Test func anotherProcessor() async throws {
        let folder = try Scratch()
        var bytes = try [UInt8](Data(contentsOf: URL(filePath: Repository.shim)))
        // The ELF header's machine: s390x, which none of our machines is.
        bytes[18] = 22
        bytes[19] = 0
        let shim = "\(folder.path)/relay-shim"
        try Data(bytes).write(to: URL(filePath: shim))
        chmod(shim, 0o755)
        let container = try await TestContainer()
        let error = await code { _ = try await container.open(shim: shim) }
        #expect(error?.code == .gateArchitecture && error?.cause?.contains("s390x") == true)
    }

    @Test func aContainerThatDoesNotRun() async throws {
        let container = try await TestContainer()
        let facts = try await container.facts()
        func open() async throws {
            _ = try await RealEngine.engine.openGate(
                in: facts, user: nil, name: "gate", joins: false, hello: .init(token: TestContainer.token))
        }
        try await RealEngine.docker("pause", container.name)
        #expect(await code(open)?.code == .containerPaused)
        #expect(
            await code { _ = try await RealEngine.engine.runningContainer(container.name) }?.code
                == .containerPaused)
        try await RealEngine.docker("unpause", container.name)
        try await RealEngine.docker("stop", "--time", "0", container.name)
        #expect(await code(open)?.code == .containerStopped)
        try await RealEngine.docker("rm", "--force", container.name)
        #expect(await code(open)?.code == .containerMissing)
        #expect(await code { _ = try await container.facts() }?.code == .containerMissing)
    }

    @Test func aNewLinkToARunningGate() async throws {
        let container = try await TestContainer()
        #expect(await code { _ = try await container.open(joins: true) }?.code == .gateLost)
        let gate = try await container.open()
        let pid = try #require(gate.welcome?.pid)
        gate.close()
        #expect(await gate.process.exit(within: .seconds(10)) != nil, "hanging up ends the client")
        let again = try await container.open(joins: true)
        #expect(again.welcome?.pid == pid)
        let other = try await container.open(gate: "another")
        #expect(other.welcome?.pid != pid)
        _ = await other.stop()
        #expect(await again.stop() == .code(0))
    }

    @Test func theLastOwnersEndIsTheClientsEnd() async throws {
        let container = try await TestContainer()
        let pid = try await container.open().process.pid
        for _ in 0..<2000 where kill(pid, 0) == 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(kill(pid, 0) != 0)
        let again = try await container.open(joins: true)
        _ = await again.stop()
    }

    @Test func severalAtOnceIntoOneContainer() async throws {
        let container = try await TestContainer()
        let facts = try await container.facts()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<6 {
                group.addTask {
                    let gate = try await RealEngine.engine.openGate(
                        in: facts, user: nil, name: "gate-\(number)", joins: false,
                        hello: .init(token: TestContainer.token, lingerSeconds: 5))
                    let isThere = gate.welcome != nil
                    return await gate.stop() == .code(0) && isThere
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(try await container.copies().count == 1)
    }
}
