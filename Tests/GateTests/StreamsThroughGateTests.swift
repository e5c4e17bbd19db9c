import FakeJupyter
import Foundation
import Gate
import Glibc
import RelayLink
import Testing

/// The real gate's streams, spoken to by hand.
@Suite(.serialized) struct StreamsThroughGateTests {
    private let offer = StreamOffer(window: StreamLimits.window)

    private func opening(_ user: String) -> [UInt8] {
        let (name, token) = (Array(user.utf8), Array(GateProcess.token.utf8))
        let body = [UInt8(name.count)] + name + [UInt8(token.count)] + token
        return Greeting(mechanism: "PLAIN", isServer: false).bytes + Command("HELLO", body).bytes
    }

    @Test func aStreamLeadsToTheHandshake() throws {
        let gate = try GateProcess()
        let welcome = try gate.hello(streams: offer)
        #expect(welcome.streams == offer)
        try gate.script("k", "while :; do sleep 1; done")
        gate.say(.open(.ports), on: 1)
        #expect(try gate.bytes(64, on: 1) == PlainServer.greeting, "as at a port")
        gate.say(.bytes(opening("k/shell")[...]), on: 1)
        let answer = try gate.bytes(10, on: 1)
        #expect(String(decoding: answer, as: UTF8.self).contains("WELCOME"))
        // A kernel that does not exist, and a way that is none.
        gate.say(.open(.ports), on: 3)
        _ = try gate.bytes(64, on: 3)
        gate.say(.bytes(opening("nobody/shell")[...]), on: 3)
        #expect(String(decoding: try gate.bytes(12, on: 3), as: UTF8.self).contains("400"))
        gate.say(.open(.agent(kernel: "k")), on: 5)
        #expect(try gate.heard(on: 5).said == .reset)
        gate.say(.bytes([1]), on: 99)
        #expect(try gate.failure() == "KR-GATE-STREAM")
        #expect(try gate.stop() == 0)
    }

    @Test func withoutAWindowThereAreNoStreams() throws {
        let gate = try GateProcess()
        _ = try gate.hello()
        gate.say(.open(.ports), on: 1)
        #expect(try gate.failure() == "KR-GATE-STREAM")
        #expect(try gate.stop() == 0)
    }

    @Test func streamsOutliveTheirLink() throws {
        let gate = try GateProcess()
        _ = try gate.hello(streams: offer)
        try gate.script("k", "while :; do sleep 1; done")
        gate.say(.open(.ports), on: 1)
        _ = try gate.bytes(64, on: 1)
        let whole = opening("k/shell")
        gate.say(.bytes(whole[..<70]), on: 1)
        gate.hangUp()
        #expect(waits { gate.linkHasEnded })
        let again = try GateProcess(["--join"], name: gate.name)
        // As one to whom nothing of the greeting has come, and who does not know yet what has arrived.
        let welcome = try again.hello(streams: .init(window: StreamLimits.window, received: [1: 0, 7: 3]))
        #expect(welcome.streams.received == [1: 70])
        #expect(try again.bytes(64, on: 1).count == 64)
        again.say(.bytes(whole[70...]), on: 1)
        #expect(String(decoding: try again.bytes(10, on: 1), as: UTF8.self).contains("WELCOME"))
        // Another relayd has none of these.
        let other = try GateProcess(["--join"], name: gate.name)
        #expect(try other.hello(streams: offer).streams == offer)
        #expect(waits { (try? other.stateOfKernels().counters["open"]) == 0 })
        #expect(try other.stop() == 0)
        #expect(try again.wait() == 0)
        #expect(try gate.wait() == 0)
    }

    @Test func aKernelHasAWayToTheAgent() throws {
        let gate = try GateProcess()
        _ = try gate.hello(streams: offer)
        try gate.spawn(
            .init(
                kernel: "k", argv: ["/bin/sh", "-c", "echo $SSH_AUTH_SOCK.; while :; do sleep 1; done"],
                env: ["SSH_AUTH_SOCK": "/nowhere"], key: "k", agent: true))
        let said = try gate.output(of: "k", until: ".")
        let path = String(said.prefix { $0 != "." })
        var facts = stat()
        #expect(lstat(path, &facts) == 0 && facts.st_mode == S_IFSOCK | 0o600)
        let program = try RawSocket(path: path)
        let (stream, opened) = try gate.heard()
        #expect(stream == 2 && opened == .open(.agent(kernel: "k")))
        try program.write([1, 2, 3])
        #expect(try gate.bytes(3, on: stream) == [1, 2, 3])
        gate.say(.bytes([4, 5]), on: stream)
        #expect(program.read(2) == [4, 5])
        #expect(try gate.end("k").left == 0)
        #expect(program.read(1) == [], "it ends with its kernel")
        #expect(lstat(path, &facts) != 0)
        // One that was not asked for is not there.
        try gate.script("other", "echo \"${SSH_AUTH_SOCK-none}.\"; exec sleep 1000")
        #expect(try !gate.output(of: "other", until: ".").contains("/agent"))
        #expect(try gate.stop() == 0)
    }

    /// Who asks for the agent while relayd is away is led on when it is back.
    @Test func withoutALinkTheAgentIsWaitedFor() throws {
        let gate = try GateProcess()
        _ = try gate.hello(streams: offer)
        try gate.spawn(
            .init(
                kernel: "k", argv: ["/bin/sh", "-c", "echo $SSH_AUTH_SOCK.; while :; do sleep 1; done"],
                key: "k",
                agent: true))
        let path = String(try gate.output(of: "k", until: ".").prefix { $0 != "." })
        gate.hangUp()
        #expect(waits { gate.linkHasEnded })
        let program = try RawSocket(path: path)
        try program.write([7])
        let again = try GateProcess(["--join"], name: gate.name)
        _ = try again.hello(streams: offer)
        let (stream, opened) = try again.heard()
        #expect(opened == .open(.agent(kernel: "k")))
        #expect(try again.bytes(1, on: stream) == [7])
        #expect(try again.stop() == 0)
        #expect(try again.wait() == 0)
        #expect(try gate.wait() == 0)
    }
}
