import FakeJupyter
import KernelRelay
import Testing

/// A client that asks and asks and never reads its replies.
@Suite struct SlowReplyTests {
    private static let count = 600
    private static let size = 100_000

    @Test func areHeldAndCountedAndControlGoesOn() throws {
        let rig = try Rig()
        defer { rig.end() }
        let other = try rig.client()
        let slow = try rig.client(settled: false, replyHighWaterMark: 10)
        var ids: [String] = []
        let bulk = [UInt8](repeating: 5, count: Self.size)
        for _ in 0..<Self.count { ids.append(try slow.request("bulk_request", buffers: [bulk])) }

        #expect(rig.wait { $0[.shell, .toClient].heldMessages > 0 })
        let held = rig.relay.statistics[.shell, .toClient]
        #expect(held.heldBytes >= held.heldMessages * Self.size)
        #expect(held.everHeld >= held.heldMessages)
        for _ in 0..<20 {
            #expect(try other.ask("some_request", on: .control, timeout: 15_000).type == "some_reply")
            #expect(try other.ping(timeout: 15_000))
        }
        #expect(rig.relay.statistics[.shell, .toClient].heldMessages > 0)

        // Nothing was lost of it, and nothing changed places.
        for id in ids {
            let reply = try #require(try slow.next(on: .shell, timeout: 15_000))
            #expect(reply.parentID == id)
            #expect(reply.buffers == [bulk])
        }
        #expect(rig.wait { $0[.shell, .toClient].heldMessages == 0 && $0[.shell, .toClient].heldBytes == 0 })
        #expect(try other.ask("some_request", timeout: 15_000).type == "some_reply")
        #expect(rig.relay.statistics.drops == [])
    }
}
