import FakeJupyter
import KernelRelay
import Testing

/// What a kernel may send and a client must never see. The fake client verifies all that comes.
@Suite struct BrokenOutputTests {
    @Test(arguments: [PeerChannel.shell, .iopub, .control, .stdin], Breakage.all)
    func isDroppedAndCountedAndTheNextPasses(_ channel: PeerChannel, _ breakage: Breakage) throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let route = try rig.route(on: channel, to: client)
        _ = try client.unclaimed(on: channel)

        rig.kernel.sendRaw(route + breakage.tail(rig.back), on: channel)
        let next = SignedMessage("next", session: "next", identities: route)
        rig.kernel.sendRaw(next.frames(for: rig.back), on: channel)
        let came = try client.next(on: channel, timeout: 15_000, where: { $0.type == "next" })
        #expect(came?.id == next.id)
        #expect(try client.unclaimed(on: channel).filter { $0.type == "broken_request" }.isEmpty)

        let lane = rig.relay.statistics[Channel(rawValue: channel.rawValue)!, .toClient]
        #expect(lane.rejected == [breakage.reason: 1])
    }

    /// A reply without an envelope: a ROUTER would take its delimiter for a name.
    @Test func aReplyForNobodyIsDropped() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let route = try rig.route(on: .shell, to: client)
        let lost = SignedMessage("lost_reply", session: "x", identities: [route[0]])
        rig.kernel.sendRaw(lost.frames(for: rig.back), on: .shell)
        #expect(try client.ask("next_request", timeout: 15_000).type == "next_reply")
        #expect(rig.relay.statistics[.shell, .toClient].rejected == [.missingIdentity: 1])
    }
}
