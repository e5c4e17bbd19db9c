import FakeJupyter
import KernelRelay
import Testing

/// The relay is ended while the kernel ends: what that said last still gets out.
@Suite struct LastWordsTests {
    @Test func areHandedOnWhenTheRelayStops() throws {
        var options = FakeKernel.Options()
        options.script = { channel, message in
            guard message.type == "shutdown_request" else { return usualScript(channel, message) }
            return [.flood(count: 300, size: 5_000, then: usualScript(channel, message))]
        }
        let rig = try Rig(kernel: options)
        defer { rig.end() }
        let client = try rig.client()
        let id = try client.request(
            "shutdown_request", content: #"{"restart": false}"#, on: .control)
        #expect(rig.wait { $0[.control, .toKernel].messages == 1 })
        let begun = ContinuousClock.now
        rig.relay.stop(listening: .seconds(60))
        // Heard out, and not listened to for the sake of listening.
        #expect(ContinuousClock.now - begun < .seconds(40))

        #expect(try client.reply(to: id, on: .control, timeout: 15_000).type == "shutdown_reply")
        let outputs = try client.outputs(of: id, timeout: 15_000)
        let streams = outputs.filter { $0.type == "stream" }
        #expect(streams.compactMap { JSONText.int("seq", in: $0.content) } == Array(0..<300))
        #expect(outputs.suffix(2).map(\.type) == ["shutdown_reply", "status"])
    }

    /// A kernel that lives on is not waited for longer than was said.
    @Test func ofAKernelThatLivesOnAreNotAwaitedForEver() throws {
        let rig = try Rig()
        defer { rig.end() }
        _ = try rig.client()
        let begun = ContinuousClock.now
        rig.relay.stop(listening: .milliseconds(200))
        #expect(ContinuousClock.now - begun < .seconds(15))
    }
}
