import FakeJupyter
import KernelRelay
import Testing

/// A peer that dies between the frames of a message, or within one: nothing of it goes on.
@Suite struct TornMessageTests {
    enum Tear: CaseIterable {
        case betweenFrames, withinAFrame
    }

    @Test(arguments: [PeerChannel.shell, .control, .stdin], Tear.allCases)
    func aClientsIsDropped(_ channel: PeerChannel, _ tear: Tear) throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let before = rig.kernel.record.received[channel]?.count ?? 0

        let frames = SignedMessage("torn_request", session: "torn").frames(for: rig.front)
        let dying = try RawPeer(rig.front, channel)
        try dying.shakeHands(as: "DEALER", identity: Array("dying".utf8))
        for frame in frames.dropLast() { try dying.write(RawPeer.frame(frame, more: true)) }
        if tear == .withinAFrame {
            try dying.write(RawPeer.longFrameHead(1 << 20, more: true))
            try dying.write([UInt8](repeating: 1, count: 100_000))
        }
        dying.close()

        // Under the same name as the dead one: what it left behind must not be put in front of this.
        let heir = try rig.client(settled: false, routingID: "dying")
        for sender in [client, heir] {
            let next = SignedMessage("next_request", session: "next")
            try sender.send(next, on: channel)
            #expect(rig.kernel.wait(milliseconds: 15_000) { $0.messages(on: channel).last?.id == next.id })
        }
        #expect(rig.kernel.record.received[channel]?.count == before + 2)
        #expect(rig.kernel.record.badSignatures == 0)
        #expect(rig.relay.statistics.drops == [])
    }

    /// The wire between kernel and relay breaks in the middle of the second of three frames of a megabyte.
    @Test(arguments: [PeerChannel.shell, .iopub])
    func aKernelsIsDropped(_ channel: PeerChannel) throws {
        let home = try PeerAddress.loopback(key: "back")
        let kernel = FakeKernel(home)
        try kernel.start()
        defer { kernel.stop() }
        let wire = try CutProxy(to: home.ports[channel]!)
        defer { wire.end() }
        var back = home
        back.ports[channel] = wire.port
        let rig = try Rig(back: back, startKernel: false)
        defer { rig.end() }

        let client = try rig.client()
        wire.cut(after: 1_500_000)
        let megabyte = [UInt8](repeating: 7, count: 1 << 20)
        try client.request("torn_request", buffers: [megabyte, megabyte, megabyte])
        if channel == .iopub {
            kernel.publish(
                SignedMessage(
                    "torn", session: "torn", identities: [[]], buffers: [megabyte, megabyte, megabyte]))
        }
        #expect(rig.wait { $0.kernelConnections == 2 })
        #expect(wire.cuts == 1)
        // The kernel lives on and is found again.
        try client.settle()
        #expect(try client.ask("next_request", timeout: 15_000).type == "next_reply")
        #expect(
            try client.unclaimed(on: channel).filter { $0.type.hasPrefix("torn") && channel == .iopub }
                .isEmpty)
        #expect(
            try client.unclaimed(on: .shell).filter { $0.type == "torn_reply" && channel == .shell }.isEmpty)
    }
}
