import FakeJupyter
import Glibc
import Testing

/// The kit against itself, with nothing in between: what fails here is the witness, not the relay.
@Suite struct FakePeersTests {
    private func pair(
        _ change: (inout PeerAddress) -> Void = { _ in }, options: FakeKernel.Options = FakeKernel.Options()
    ) throws -> (FakeKernel, FakeClient) {
        var address = try PeerAddress.loopback(key: "secret")
        change(&address)
        let kernel = FakeKernel(address, options: options)
        try kernel.start()
        let client = try FakeClient(address)
        try client.settle()
        return (kernel, client)
    }

    @Test func executesAndEchoes() throws {
        let (kernel, client) = try pair()
        defer { kernel.stop() }
        let id = try client.request("execute_request", content: #"{"code": "say \"hi\""}"#)
        #expect(try client.reply(to: id).type == "execute_reply")
        let outputs = try client.outputs(of: id)
        #expect(outputs.map(\.type) == ["status", "stream", "status"])
        #expect(JSONText.string("text", in: outputs[1].content) == #"say "hi""#)
        #expect(try client.ping())
        #expect(kernel.record.types(on: .shell).last == "execute_request")
        #expect(kernel.record.badSignatures == 0)
    }

    @Test func asksForInput() throws {
        let (kernel, client) = try pair()
        defer { kernel.stop() }
        let id = try client.request("execute_request", content: #"{"code": "", "ask": "name?"}"#)
        let question = try #require(try client.next(on: .stdin))
        #expect(JSONText.string("prompt", in: question.content) == "name?")
        try client.answer(question, value: "Ada")
        #expect(try client.reply(to: id).type == "execute_reply")
        let stream = try client.outputs(of: id)[1]
        #expect(JSONText.string("text", in: stream.content) == "Ada")
    }

    @Test func floodsWithoutLossWhileControlAnswers() throws {
        var options = FakeKernel.Options()
        options.iopubHighWaterMark = 10
        let (kernel, client) = try pair(options: options)
        defer { kernel.stop() }
        let count = 5_000
        let id = try client.request("flood_request", content: #"{"count": \#(count), "size": 1000}"#)
        #expect(kernel.wait { $0.pauses > 0 })
        #expect(try client.ask("interrupt_request", on: .control).type == "interrupt_reply")
        let streams = try client.outputs(of: id, timeout: 60_000).filter { $0.type == "stream" }
        #expect(streams.compactMap { JSONText.int("seq", in: $0.content) } == Array(0..<count))
        #expect(streams.allSatisfy { $0.content.count == 1000 })
    }

    @Test func welcomesSubscribersWhenAskedTo() throws {
        var options = FakeKernel.Options()
        options.sendsWelcome = true
        let (kernel, client) = try pair(options: options)
        defer { kernel.stop() }
        #expect(try client.next(on: .iopub, where: { $0.type == "iopub_welcome" }) != nil)
    }

    @Test func judgesPlainLogins() throws {
        let (kernel, _) = try pair { $0.plain = .init(userPrefix: "k1", password: "token") }
        defer { kernel.stop() }
        #expect(kernel.wait { record in record.logins.contains { $0.user == "k1/iopub" && $0.accepted } })
        var wrong = kernel.address
        wrong.plain?.password = "guess"
        let intruder = try FakeClient(wrong)
        try intruder.request("kernel_info_request")
        #expect(kernel.wait { record in record.logins.contains { !$0.accepted } })
        #expect(try intruder.next(on: .shell, timeout: 100) == nil)
    }

    @Test func speaksCurve() throws {
        let (kernel, client) = try pair { $0.curve = .generate() }
        defer { kernel.stop() }
        #expect(try client.ping())
    }

    @Test func refusesWrongSignatures() throws {
        let (kernel, client) = try pair()
        defer { kernel.stop() }
        let forged = SignedMessage("execute_request", session: "x")
        try client.sendRaw(forged.frames(for: kernel.address.with(key: "other")), on: .shell)
        #expect(kernel.wait { $0.badSignatures == 1 })
        kernel.publish(SignedMessage("stream", session: "k", identities: [[]]))
        #expect(try client.next(on: .iopub) != nil)
        kernel.sendRaw(forged.frames(for: kernel.address.with(key: "other")), on: .iopub)
        #expect(throws: PeerError.self) { try client.next(on: .iopub) }
    }

    @Test func endsOnRequestAndStartsAgainOnTheSamePorts() throws {
        let (kernel, client) = try pair()
        defer { kernel.stop() }
        #expect(
            try client.ask("shutdown_request", content: #"{"restart": true}"#, on: .control).type
                == "shutdown_reply")
        #expect(kernel.wait { $0.exited })
        kernel.stop()
        #expect(try !client.ping(timeout: 50))
        try kernel.start()
        try client.settle()
        #expect(try client.ping(timeout: 3000))
    }

    @Test func stopsReadingWhenToldTo() throws {
        let (kernel, client) = try pair()
        defer { kernel.stop() }
        kernel.pauseReading([.shell, .hb])
        #expect(try !client.ping(timeout: 200))
        #expect(try client.ask("interrupt_request", on: .control).type == "interrupt_reply")
        kernel.pauseReading([])
        #expect(try client.ask("kernel_info_request").type == "kernel_info_reply")
    }

    @Test func unsignedWithAnEmptyKeyAndOverIPC() throws {
        let prefix = "/tmp/fake-jupyter-\(PeerAddress.Curve.generate().publicKey.filter(\.isLetter))"
        let address = PeerAddress.ipc(prefix: prefix, key: "")
        // A socket's file outlives a context that is ended while the socket closes.
        defer { for number in 1...5 { unlink("\(prefix)-\(number)") } }
        let kernel = FakeKernel(address)
        try kernel.start()
        defer { kernel.stop() }
        let client = try FakeClient(address)
        try client.settle()
        let reply = try client.ask("comm_info_request", buffers: [[1, 2, 3], []])
        #expect(reply.signature.isEmpty)
        #expect(reply.buffers == [[1, 2, 3], []])
    }
}

@Suite struct SignedMessageTests {
    /// RFC 4231, test case 2, split where a Jupyter message would be.
    @Test func signsAsTheStandardSays() {
        let parts = ["what do ya ", "want ", "for ", "nothing?"].map { Array($0.utf8) }
        let code = String(decoding: PeerSignature.hex(key: "Jefe", parts: parts), as: UTF8.self)
        #expect(code == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test func looksUpOuterFieldsOnly() {
        let json = Array(
            #"{"a": {"id": "in\"ner"}, "id" : "ou\\ter", "n": 12, "b":true, "l": [1, "id"]}"#.utf8)
        #expect(JSONText.string("id", in: json) == #"ou\ter"#)
        #expect(JSONText.int("n", in: json) == 12)
        #expect(JSONText.bool("b", in: json) == true)
        #expect(JSONText.raw("l", in: json).map { String(decoding: $0, as: UTF8.self) } == #"[1, "id"]"#)
        #expect(JSONText.raw("missing", in: json) == nil)
    }
}
