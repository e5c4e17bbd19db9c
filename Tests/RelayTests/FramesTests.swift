import FakeJupyter
import KernelRelay
import Testing

/// What goes in comes out, byte for byte; only the signature is another.
@Suite struct FramesTests {
    /// Parts as no encoder would write them, and buffers of every kind.
    private func odd(_ type: String, identities: [[UInt8]] = []) -> SignedMessage {
        var message = SignedMessage(
            type, session: "s", content: "{ \"b\":1,\n\"a\" : 2, \"a\": 3, \"u\": \"\\u00e9é\" }\n",
            metadata: "  {}  ", identities: identities,
            buffers: [
                Array(0...255), [], SignedMessage.delimiter, [0xFF, 0xFE, 0],
                (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31) }, [],
            ])
        message.parentHeader = [0xC0, 0x80, 0, 0xFF]
        return message
    }

    @Test(arguments: [PeerChannel.shell, .control, .stdin])
    func toTheKernel(_ channel: PeerChannel) throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let message = odd("odd", identities: [Array("an envelope".utf8), []])
        try client.send(message, on: channel)
        #expect(rig.kernel.wait(milliseconds: 15_000) { $0.messages(on: channel).last?.id == message.id })
        let came = try #require(rig.kernel.record.received[channel]?.last)
        #expect(Array(came.dropFirst()) == [client.routingID] + message.frames(for: rig.back))
    }

    @Test(arguments: [PeerChannel.shell, .control, .stdin, .iopub])
    func toTheClient(_ channel: PeerChannel) throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let route = try rig.route(on: channel, to: client)
        let message = odd("odd", identities: route + [Array("an envelope".utf8), []])
        rig.kernel.sendRaw(message.frames(for: rig.back), on: channel)
        let came = try #require(
            try client.next(on: channel, timeout: 15_000, where: { $0.id == message.id }))
        // The ROUTERs on the way took the names off that they were to send by; a topic stays.
        var expected = message
        expected.identities = Array(message.identities.dropFirst(channel == .iopub ? 0 : 2))
        #expect(came.frames(for: rig.front) == expected.frames(for: rig.front))
        #expect(came.verifies(for: rig.front))
    }

    /// As many frames as are let through.
    @Test func manyBuffers() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let buffers = (0..<Tuning.mostFrames - 8).map { [UInt8(truncatingIfNeeded: $0)] }
        #expect(try client.ask("many_request", buffers: buffers, timeout: 15_000).buffers == buffers)
    }
}
