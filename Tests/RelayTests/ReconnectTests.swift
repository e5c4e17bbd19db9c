import FakeJupyter
import KernelRelay
import Testing

/// A client that comes back under its own name, as jupyter_server does for a browser that lost its network.
@Suite struct ReconnectTests {
    enum Before: CaseIterable {
        /// The old connection is closed.
        case hungUp
        /// The old connection still stands, its owner is gone: a laptop that was shut.
        case halfDead
    }

    @Test(arguments: Before.allCases)
    func getsTheReplyToWhatItAskedBefore(_ before: Before) throws {
        let rig = try Rig()
        defer { rig.end() }
        let other = try rig.client()
        let first = try rig.client(routingID: "notebook")
        let asked = rig.relay.statistics[.shell, .toKernel].messages
        // The kernel is busy: it reads nothing for now.
        rig.kernel.pauseReading([.shell])
        let early = try first.request("early_request")
        #expect(rig.wait { $0[.shell, .toKernel].messages == asked + 1 })
        if before == .hungUp { first.close() }

        let second = try rig.client(settled: false, routingID: "notebook")
        let late = try second.request("late_request")
        // It has come through the new connection, so the relay knows that one.
        #expect(rig.wait { $0[.shell, .toKernel].messages == asked + 2 })
        rig.kernel.pauseReading([])
        #expect(try second.reply(to: early, timeout: 15_000).type == "early_reply")
        #expect(try second.reply(to: late, timeout: 15_000).type == "late_reply")
        #expect(try other.ask("other_request", timeout: 15_000).type == "other_reply")
        #expect(rig.relay.statistics.rejected(.clientGone) == 0)
    }

    /// The question was asked over the first connection and is answered over the second.
    @Test func answersTheQuestionThatItWasAsked() throws {
        let rig = try Rig()
        defer { rig.end() }
        let first = try rig.client(routingID: "notebook")
        let id = try first.request("execute_request", content: #"{"code": "", "ask": "name?"}"#)
        let question = try #require(try first.next(on: .stdin, timeout: 15_000))
        first.close()
        let second = try rig.client(settled: false, routingID: "notebook")
        #expect(try second.isConnected())
        // Its shell connection is known once something has come through it.
        #expect(try second.ask("late_request", timeout: 15_000).type == "late_reply")
        try second.answer(question, value: "Ada")
        #expect(try second.reply(to: id, timeout: 15_000).type == "execute_reply")
    }
}
