import FakeJupyter
import KernelRelay
import Testing

/// Three clients of one kernel at once, each on a thread of its own, each asked by `input()` in every round.
@Suite struct ThreeClientsTests {
    @Test func eachGetsItsOwnRepliesAndQuestions() throws {
        let rig = try Rig()
        defer { rig.end() }
        let front = rig.front
        try atOnce(3) { number in
            let client = try FakeClient(front, session: "client-\(number)")
            defer { client.close() }
            try client.settle()
            for round in 0..<40 {
                let mark = "\(number)/\(round)"
                let id = try client.request(
                    "execute_request", content: #"{"code": "", "ask": "\#(mark)?"}"#)
                let question = try #require(try client.next(on: .stdin, timeout: 15_000))
                #expect(JSONText.string("prompt", in: question.content) == "\(mark)?")
                #expect(question.parentID == id)
                try client.answer(question, value: mark)
                #expect(try client.reply(to: id, timeout: 15_000).type == "execute_reply")
                let streams = try client.outputs(of: id, timeout: 15_000).filter { $0.type == "stream" }
                #expect(streams.map { JSONText.string("text", in: $0.content) } == [mark])
                #expect(try client.ask("ping_request", on: .control, timeout: 15_000).type == "ping_reply")
            }
            // Whatever else had come to this client would lie here.
            let all = [PeerChannel.shell, .control, .stdin]
            let foreign = try all.flatMap { try client.unclaimed(on: $0) }.filter {
                JSONText.string("session", in: $0.parentHeader) != "client-\(number)"
            }
            #expect(foreign.map(\.type) == [])
        }
    }
}
