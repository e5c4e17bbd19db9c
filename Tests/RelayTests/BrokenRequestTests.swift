import FakeJupyter
import KernelRelay
import Testing

/// What a client may send and the kernel must never see.
@Suite struct BrokenRequestTests {
    @Test(arguments: [PeerChannel.shell, .control, .stdin], Breakage.all)
    func isDroppedAndCountedAndTheNextPasses(_ channel: PeerChannel, _ breakage: Breakage) throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let before = rig.kernel.record.received[channel]?.count ?? 0
        try client.sendRaw(breakage.tail(rig.front), on: channel)
        // The same connection brings the next; on stdin a kernel answers nothing, so that it is asked what came.
        let next = SignedMessage("next_request", session: "next")
        try client.send(next, on: channel)
        #expect(rig.kernel.wait(milliseconds: 15_000) { $0.messages(on: channel).last?.id == next.id })
        #expect(rig.kernel.record.received[channel]?.count == before + 1)
        #expect(rig.kernel.record.badSignatures == 0)

        let lane = rig.relay.statistics[Channel(rawValue: channel.rawValue)!, .toKernel]
        #expect(lane.rejected == [breakage.reason: 1])
    }
}
