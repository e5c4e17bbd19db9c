import Foundation
import Glibc
import Ground
import KernelRelay
import RelayLink
import Testing

/// `relayd up`, `ports` and `down`, against a real engine. Each container goes with its test.
@Suite struct UpDownTests {
    /// Takes the container away whatever becomes of the test.
    private final class Broom {
        let name: String
        init(_ name: String) { self.name = name }
        deinit { RealEngine.remove(name) }
    }

    private func up(_ name: String, image: String? = nil, _ arguments: [String] = []) async -> Upbringing {
        let own = await RealEngine.image
        return Upbringing(
            engine: RealEngine.engine, image: image ?? own, name: name, byChannel: StandardPorts.byChannel,
            arguments: arguments)
    }

    @Test func aWholeRound() async throws {
        let name = RealEngine.name()
        let broom = Broom(name)
        let (container, flags) = try await up(name).bringUp()
        #expect(container.name == name && container.state == .running && container.isMadeByUp)
        #expect(container.gateMount == GatePath.mount && container.labelledPorts == StandardPorts.byChannel)
        for port in flags.ports {
            #expect(container.published[port.container] == [.init(address: "127.0.0.1", port: port.host)])
        }
        let gate = try await RealEngine.engine.openGate(
            in: container, user: nil, name: "gate", joins: false,
            hello: .init(token: TestContainer.token, ports: StandardPorts.byChannel))
        #expect(gate.welcome?.ports == StandardPorts.byChannel)
        gate.close()
        let begin = ContinuousClock.now
        try await RealEngine.docker("stop", "--time", "20", name)
        #expect(begin.duration(to: .now) < .seconds(10), "it ends when it is told to")
        #expect(try await RealEngine.engine.takeDown(name).id == container.id)
        #expect(await code { _ = try await RealEngine.engine.takeDown(name) }?.code == .containerMissing)
        withExtendedLifetime(broom) {}
    }

    @Test func theProgramsWords() async throws {
        let name = RealEngine.name()
        let broom = Broom(name)
        let made = try await relayd(
            "up", "--json", "--name", name, "--shell", "12000", "--hb", "12000", RealEngine.image)
        let fields = try #require(JSONSerialization.jsonObject(with: Data(made.utf8)) as? [String: Any])
        #expect(fields["schema_version"] as? Int == 1 && fields["container"] as? String == name)
        let table = try await relayd("ports", name)
        let shell = table.split(separator: "\n").first { $0.hasPrefix("shell") }?.split(separator: " ") ?? []
        #expect(shell.count == 3 && shell[1] == "12000" && shell[2].hasPrefix("127.0.0.1:"))
        #expect(try await relayd("ports", "--json", name).contains("\"schema_version\":1"))
        #expect(try await relayd("down", name).contains(name))
        await #expect(throws: RealEngine.Failed.self) { try await relayd("down", name) }
        withExtendedLifetime(broom) {}
    }

    /// The printed flags are what they say: a shell and an engine take them.
    @Test func thePrintedFlagsMakeAContainer() async throws {
        let name = RealEngine.name()
        let broom = Broom(name)
        let flags = try await relayd("ports")
        try await RealEngine.run([
            "sh", "-c",
            "docker run -d --name \(name) \(flags.trimmingCharacters(in: .newlines)) \(RealEngine.image) /wait hold",
        ])
        let container = try await RealEngine.engine.runningContainer(name)
        #expect(container.published.count == 5 && container.gateMount != nil && !container.isMadeByUp)
        #expect(await code { _ = try await RealEngine.engine.takeDown(name) }?.code == .containerForeign)
        #expect(try await RealEngine.engine.container(name).state == .running)
        withExtendedLifetime(broom) {}
    }

    @Test func whatEndsAtOnceIsExplainedAndRemoved() async throws {
        let ended = RealEngine.name()
        let up = Upbringing(
            engine: RealEngine.engine, image: await RealEngine.image, name: ended,
            byChannel: StandardPorts.byChannel, keepsCommand: true, arguments: ["--entrypoint", "/wait"])
        // What the image's own command is here: relay-shim with no word, which it answers with its usage.
        let error = await code { _ = try await up.bringUp() }
        #expect(
            error?.code == .containerEnded && error?.cause?.contains("exit code 64: ") == true)
        #expect(await code { _ = try await RealEngine.engine.container(ended) }?.code == .containerMissing)
        let other = RealEngine.name()
        let broken = await code { _ = try await self.up(other, ["--entrypoint", "/nowhere"]).bringUp() }
        #expect(broken?.code == .containerEnded || broken?.code == .engineFailed)
        #expect(await code { _ = try await RealEngine.engine.container(other) }?.code == .containerMissing)
    }

    @Test func anImageThatIsNowhere() async throws {
        let name = RealEngine.name()
        // A registry that refuses at once: nothing listens there.
        let error = await code { _ = try await up(name, image: "127.0.0.1:1/kernelrelay/none").bringUp() }
        #expect(error?.code == .imageMissing)
        for image in ["", "--privileged"] {
            #expect(await code { _ = try await up(name, image: image).bringUp() }?.code == .imageMissing)
        }
        #expect(await code { _ = try await RealEngine.engine.container(name) }?.code == .containerMissing)
    }

    @Test func aNameThatIsTaken() async throws {
        let container = try await TestContainer()
        #expect(await code { _ = try await up(container.name).bringUp() }?.code == .containerTaken)
        #expect(try await container.facts().state == .running)
    }

    @Test func severalAtOnce() async throws {
        let names = (0..<4).map { _ in RealEngine.name() }
        let brooms = names.map(Broom.init)
        let ports = try await withThrowingTaskGroup(of: [UInt16].self) { group in
            for name in names {
                let up = await up(name)
                group.addTask { try await up.bringUp().flags.ports.map(\.host) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ports).count == 20)
        withExtendedLifetime(brooms) {}
    }

    private func relayd(_ words: String...) async throws -> String {
        let program = Repository.shim.replacing("relay-shim", with: "relayd")
        return try await RealEngine.run([program] + words)
    }
}
