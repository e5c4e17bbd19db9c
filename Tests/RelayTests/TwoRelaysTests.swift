import FakeJupyter
import KernelRelay
import Testing

/// Two notebooks on one kernel, each by a relay of its own with a key of its own.
@Suite struct TwoRelaysTests {
    @Test func bothWork() throws {
        let rig = try Rig()
        defer { rig.end() }
        let other = try Rig(
            front: .loopback(key: "the-second-notebook's"), back: rig.back, startKernel: false)
        defer { other.end() }
        let fronts = [rig.front, other.front]
        try atOnce(2) { index in
            // The same name in front of both: the relays must keep them apart.
            let client = try FakeClient(fronts[index], session: "same")
            defer { client.close() }
            try client.settle()
            for round in 0..<30 {
                let mark = "\(index)/\(round)"
                let id = try client.request(
                    "execute_request", content: #"{"code": "", "ask": "\#(mark)"}"#)
                let question = try #require(try client.next(on: .stdin, timeout: 15_000))
                #expect(JSONText.string("prompt", in: question.content) == mark)
                try client.answer(question, value: mark)
                #expect(try client.reply(to: id, timeout: 15_000).type == "execute_reply")
                #expect(try client.outputs(of: id, timeout: 15_000).count == 3)
            }
        }
        #expect(rig.kernel.record.badSignatures == 0)
    }
}
