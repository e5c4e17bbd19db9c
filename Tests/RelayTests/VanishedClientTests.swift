import FakeJupyter
import KernelRelay
import Testing

/// A client that goes while replies are on their way to it.
@Suite struct VanishedClientTests {
    @Test func itsRepliesAreCountedAndTheOthersGoOn() throws {
        let rig = try Rig()
        defer { rig.end() }
        let other = try rig.client()
        let leaving = try rig.client()
        let route = try rig.route(on: .shell, to: leaving)
        // The last question may be with the kernel before it is counted.
        let asked = rig.relay.statistics[.shell, .toKernel].messages
        rig.kernel.pauseReading([.shell])
        for _ in 0..<50 { try leaving.request("orphan_request") }
        let id = try other.request("other_request")
        #expect(rig.wait { $0[.shell, .toKernel].messages >= asked + 51 })
        leaving.close()
        rig.kernel.pauseReading([])
        #expect(try other.reply(to: id, timeout: 15_000).type == "other_reply")
        // Replies go into the connection until its end is noticed; from then on each is counted.
        let deadline = Deadline(milliseconds: 15_000)
        while rig.relay.statistics[.shell, .toClient].rejected[.clientGone] == nil, !deadline.passed {
            let late = SignedMessage("late_reply", session: "k", identities: route)
            rig.kernel.sendRaw(late.frames(for: rig.back), on: .shell)
            _ = rig.wait(milliseconds: 20) { $0[.shell, .toClient].rejected[.clientGone] != nil }
        }
        #expect(rig.relay.statistics[.shell, .toClient].rejected[.clientGone] ?? 0 > 0)
        #expect(rig.relay.statistics[.shell, .toClient].heldMessages == 0)
    }

    /// Its replies fill the relay, so that it goes while some are held.
    @Test func whatWasHeldForItGoesWithIt() throws {
        let rig = try Rig()
        defer { rig.end() }
        let other = try rig.client()
        let leaving = try rig.client(settled: false, replyHighWaterMark: 10)
        let bulk = [UInt8](repeating: 5, count: 100_000)
        for _ in 0..<600 { try leaving.request("bulk_request", buffers: [bulk]) }
        #expect(rig.wait { $0[.shell, .toClient].heldMessages > 0 })
        leaving.close()
        #expect(rig.wait { $0[.shell, .toClient].heldMessages == 0 })
        #expect(rig.relay.statistics[.shell, .toClient].heldBytes == 0)
        #expect(rig.relay.statistics[.shell, .toClient].rejected[.clientGone] ?? 0 > 0)
        #expect(try other.ask("other_request", timeout: 15_000).type == "other_reply")
    }
}
