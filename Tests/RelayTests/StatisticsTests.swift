import FakeJupyter
import KernelRelay
import Testing

/// The figures agree with what really came and went.
@Suite struct StatisticsTests {
    @Test func countMessagesAndBytesOnEveryLane() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let before = rig.relay.statistics
        let known = rig.kernel.record.received
        var published = 0
        let conversation: [PeerChannel] = [.shell, .shell, .control, .shell, .control]
        var came: [PeerChannel: Int] = [:]
        for (index, channel) in conversation.enumerated() {
            let buffer = [UInt8](repeating: 1, count: index * 1000)
            let reply = try client.ask("some_request", buffers: [buffer], on: channel, timeout: 15_000)
            came[channel, default: 0] += size(reply, rig) + client.routingID.count
            for output in try client.outputs(of: reply.parentID, timeout: 15_000) {
                published += size(output, rig)
            }
        }
        for _ in 0..<3 { #expect(try client.ping(timeout: 15_000)) }

        #expect(rig.wait { $0[.iopub, .toClient].messages == before[.iopub, .toClient].messages + 10 })
        let after = rig.relay.statistics
        for channel in [PeerChannel.shell, .control] {
            let lane = Channel(rawValue: channel.rawValue)!
            let count = conversation.filter { $0 == channel }.count
            // The kernel sees the relay's own name in front of what the relay counts.
            let arrived = rig.kernel.record.received[channel]!.dropFirst(known[channel]?.count ?? 0)
            let bytes = arrived.reduce(0) { $0 + $1.dropFirst().reduce(0) { $0 + $1.count } }
            #expect(after[lane, .toKernel].messages == before[lane, .toKernel].messages + count)
            #expect(after[lane, .toKernel].bytes == before[lane, .toKernel].bytes + bytes)
            #expect(after[lane, .toClient].messages == before[lane, .toClient].messages + count)
            #expect(after[lane, .toClient].bytes == before[lane, .toClient].bytes + came[channel]!)
        }
        #expect(after[.iopub, .toClient].bytes == before[.iopub, .toClient].bytes + published)
        #expect(after[.hb, .toKernel].messages == 3)
        #expect(after[.hb, .toClient].messages == 3)
        #expect(after[.hb, .toKernel].bytes == after[.hb, .toClient].bytes)
        #expect(after[.stdin, .toKernel].messages == 0)
        #expect(after.lanes.allSatisfy { $0.heldMessages == 0 && $0.heldBytes == 0 })
        #expect(after.drops == [])
        #expect(after.connected)
        #expect(after.kernelConnections == 1)
    }

    private func size(_ message: SignedMessage, _ rig: Rig) -> Int {
        message.frames(for: rig.front).reduce(0) { $0 + $1.count }
    }
}
