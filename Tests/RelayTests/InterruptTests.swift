import FakeJupyter
import Glibc
import KernelRelay
import Synchronization
import Testing

/// An interrupt interrupts, whatever the kernel makes of the message, and is answered once.
@Suite struct InterruptTests {
    /// How often the kernel was signalled.
    private final class Signals: Sendable {
        private let number = Atomic<Int>(0)
        var count: Int { number.load(ordering: .acquiring) }
        func add() { number.add(1, ordering: .acquiringAndReleasing) }
    }

    /// A kernel that does not know the message.
    private static let ignorant: KernelScript = { channel, message in
        message.type == "interrupt_request" ? [] : usualScript(channel, message)
    }

    private func rig(
        _ policy: InterruptPolicy, _ signals: Signals?, script: @escaping KernelScript = usualScript
    ) throws -> Rig {
        var kernel = FakeKernel.Options()
        kernel.script = script
        var options = RelayOptions()
        options.interrupt = policy
        if let signals { options.onInterrupt = { signals.add() } }
        return try Rig(kernel: kernel, relay: options)
    }

    private func interrupts(_ rig: Rig, on channel: PeerChannel) -> Int {
        rig.kernel.record.types(on: channel).filter { $0 == "interrupt_request" }.count
    }

    /// By the relay: with the request's header as parent, between busy and idle.
    private func expectMade(_ reply: SignedMessage, _ request: SignedMessage, _ client: FakeClient) throws {
        #expect(reply.type == "interrupt_reply")
        #expect(reply.session.hasPrefix("relay-"))
        #expect(reply.parentHeader == request.header)
        #expect(JSONText.string("status", in: reply.content) == "ok")
        #expect(!reply.id.isEmpty && JSONText.string("date", in: reply.header) != nil)
        let states = try client.outputs(of: request.id).map {
            JSONText.string("execution_state", in: $0.content)
        }
        #expect(states == ["busy", "idle"])
    }

    @Test(arguments: [InterruptPolicy.auto, .message])
    func theKernelsAnswerInTimeIsTheOne(_ policy: InterruptPolicy) throws {
        let signals = Signals()
        let rig = try rig(policy, signals)
        defer { rig.end() }
        let client = try rig.client()
        let reply = try client.ask("interrupt_request", on: .control, timeout: 15_000)
        #expect(reply.session == "kernel-session")
        #expect(try client.outputs(of: reply.parentID).count == 2)
        // Longer than the relay would have waited.
        #expect(try client.next(on: .control, timeout: 1500) == nil)
        #expect(signals.count == 0)
        #expect(rig.relay.statistics.interrupts == 0)
    }

    @Test func aKernelThatDoesNotKnowTheMessageIsSignalled() throws {
        let signals = Signals()
        let rig = try rig(.auto, signals, script: Self.ignorant)
        defer { rig.end() }
        let client = try rig.client()
        let request = SignedMessage("interrupt_request", session: client.session)
        try client.send(request, on: .control)
        let reply = try client.reply(to: request.id, on: .control, timeout: 15_000)
        #expect(signals.count == 1)
        #expect(interrupts(rig, on: .control) == 1)
        try expectMade(reply, request, client)
        #expect(rig.relay.statistics.interrupts == 1)
    }

    @Test func anAnswerThatComesLateIsDropped() throws {
        let signals = Signals()
        let rig = try rig(.auto, signals, script: Self.ignorant)
        defer { rig.end() }
        let client = try rig.client()
        let id = try client.request("interrupt_request", on: .control)
        #expect(try client.reply(to: id, on: .control, timeout: 15_000).session.hasPrefix("relay-"))
        let request = try #require(rig.kernel.record.messages(on: .control).last)
        let late = SignedMessage(
            "interrupt_reply", session: "kernel-session", content: #"{"status": "ok"}"#,
            parentHeader: request.header, identities: request.identities)
        rig.kernel.sendRaw(late.frames(for: rig.back), on: .control)
        #expect(rig.wait { $0[.control, .toClient].rejected == [.lateReply: 1] })
        #expect(try client.ask("next_request", on: .control, timeout: 15_000).type == "next_reply")
        #expect(try client.unclaimed(on: .control).isEmpty)
        #expect(signals.count == 1)
    }

    /// VS Code sends it there, where a kernel would find it when the cell has ended.
    @Test(arguments: [InterruptPolicy.auto, .signal])
    func onShellABusyKernelIsSignalledAtOnce(_ policy: InterruptPolicy) throws {
        let signals = Signals()
        let rig = try rig(policy, signals)
        defer { rig.end() }
        let client = try rig.client()
        rig.kernel.pauseReading([.shell, .control])
        let cell = try client.request("execute_request", content: #"{"code": "1"}"#)
        let request = SignedMessage("interrupt_request", session: client.session)
        try client.send(request, on: .shell)
        try expectMade(try client.reply(to: request.id, timeout: 15_000), request, client)
        #expect(signals.count == 1)
        rig.kernel.pauseReading([])
        #expect(try client.reply(to: cell, timeout: 15_000).type == "execute_reply")
        #expect(interrupts(rig, on: .shell) == 0)
        #expect(interrupts(rig, on: .control) == 0)
    }

    @Test func withSignalsAloneTheKernelDoesNotGetTheMessage() throws {
        let signals = Signals()
        let rig = try rig(.signal, signals)
        defer { rig.end() }
        let client = try rig.client()
        for round in 1...3 {
            let request = SignedMessage("interrupt_request", session: client.session)
            try client.send(request, on: .control)
            let reply = try client.reply(to: request.id, on: .control, timeout: 15_000)
            try expectMade(reply, request, client)
            #expect(signals.count == round)
        }
        #expect(try client.ask("last_request", on: .control, timeout: 15_000).type == "last_reply")
        #expect(interrupts(rig, on: .control) == 0)
    }

    @Test func withMessagesAloneShellsGoToControlAndComeBack() throws {
        let signals = Signals()
        let rig = try rig(.message, signals)
        defer { rig.end() }
        let client = try rig.client()
        rig.kernel.pauseReading([.shell])
        let reply = try client.ask("interrupt_request", on: .shell, timeout: 15_000)
        #expect(reply.type == "interrupt_reply" && reply.session == "kernel-session")
        #expect(interrupts(rig, on: .control) == 1)
        #expect(try client.unclaimed(on: .control).isEmpty)
        #expect(signals.count == 0)
        rig.kernel.pauseReading([])
        #expect(try client.ask("next_request", timeout: 15_000).type == "next_reply")
        #expect(interrupts(rig, on: .shell) == 0)
    }

    /// The word may stand anywhere; only a message's type makes it an interrupt.
    @Test(arguments: [PeerChannel.shell, .control])
    func theWordElsewhereIsNoInterrupt(_ channel: PeerChannel) throws {
        let signals = Signals()
        let rig = try rig(.signal, signals)
        defer { rig.end() }
        let client = try rig.client()
        let type = #""msg_type": "forged_request""#
        let headers = [
            #"{"msg_id": "1", \#(type), "username": "interrupt_request", "session": "s"}"#,
            #"{"msg_id": "2", \#(type), "session": "interrupt_request"}"#,
            #"{"msg_id": "3", \#(type), "x": {"msg_type": "interrupt_request"}}"#,
            #"{"msg_id": "4", \#(type), "interrupt_request": 1}"#,
            #"{"msg_id": "5", \#(type), "username": "\"msg_type\": \"interrupt_request\""}"#,
            #"{"msg_id": "interrupt_request", \#(type)}"#,
        ]
        for header in headers {
            var message = SignedMessage("forged_request", session: client.session)
            message.header = Array(header.utf8)
            try client.send(message, on: channel)
            #expect(try client.reply(to: message.id, on: channel, timeout: 15_000).type == "forged_reply")
        }
        // What is no header, what is no JSON, what is too large.
        for header in ["\"interrupt_request\"", "[\"interrupt_request\"", "{\"a\": \"interrupt_request\"}"] {
            var message = SignedMessage("odd_request", session: client.session)
            message.header = Array(header.utf8)
            try client.send(message, on: channel)
        }
        let bulky = SignedMessage(
            "interrupt_request", session: client.session, username: String(repeating: "x", count: 5000))
        try client.send(bulky, on: channel)
        #expect(try client.reply(to: bulky.id, on: channel, timeout: 15_000).session == "kernel-session")
        #expect(signals.count == 0)
    }

    @Test func whatIsNotSignedInterruptsNobody() throws {
        let signals = Signals()
        let rig = try rig(.auto, signals)
        defer { rig.end() }
        let client = try rig.client()
        for channel in [PeerChannel.shell, .control] {
            let message = SignedMessage("interrupt_request", session: client.session)
            try client.sendRaw(message.frames(for: rig.front.with(key: "a guess")), on: channel)
            try client.sendRaw(message.frames(for: rig.front.with(key: "")), on: channel)
            #expect(try client.ask("next_request", on: channel, timeout: 15_000).type == "next_reply")
        }
        let figures = rig.relay.statistics
        #expect(figures.rejected(.badSignature) == 2 && figures.rejected(.missingSignature) == 2)
        #expect(signals.count == 0)
    }

    @Test func withoutAHandlerItIsAMessageLikeAnyOther() throws {
        let rig = try rig(.signal, nil)
        defer { rig.end() }
        let client = try rig.client()
        for channel in [PeerChannel.shell, .control] {
            let reply = try client.ask("interrupt_request", on: channel, timeout: 15_000)
            #expect(reply.session == "kernel-session")
            #expect(interrupts(rig, on: channel) == 1)
        }
    }

    /// More than the relay remembers: each is answered once, and the kernel's own answers come to nothing.
    @Test func manyAtOnceHaveOneAnswerEach() throws {
        let signals = Signals()
        let rig = try rig(.auto, signals)
        defer { rig.end() }
        let client = try rig.client()
        rig.kernel.pauseReading([.control])
        var awaited: Set<String> = []
        for _ in 0..<500 { awaited.insert(try client.request("interrupt_request", on: .control)) }
        while !awaited.isEmpty {
            let reply = try #require(try client.next(on: .control, timeout: 15_000))
            #expect(awaited.remove(reply.parentID) != nil, "answered twice")
        }
        #expect((2...501).contains(signals.count))
        rig.kernel.pauseReading([])
        #expect(rig.wait { $0[.control, .toClient].rejected == [.lateReply: Tuning.mostInterrupts] })
        #expect(interrupts(rig, on: .control) == Tuning.mostInterrupts)
        #expect(
            try client.ask("interrupt_request", on: .control, timeout: 15_000).session == "kernel-session")
        #expect(try client.unclaimed(on: .control).isEmpty)
    }

    /// The output that it is to stop has filled the relay, and goes on.
    @Test func aFloodDoesNotHoldItUp() throws {
        var kernel = FakeKernel.Options()
        kernel.script = Self.ignorant
        let signals = Signals()
        var options = RelayOptions()
        options.onInterrupt = { signals.add() }
        options.holdLimit = 1 << 20
        let rig = try Rig(kernel: kernel, relay: options)
        defer { rig.end() }
        let slow = try rig.client()
        let client = try FakeClient(rig.front, topic: "nothing")
        defer { client.close() }
        try client.request("storm_request", content: #"{"count": 300000, "size": 500}"#)
        #expect(rig.wait { $0[.iopub, .toClient].heldBytes >= 1 << 20 })
        for channel in [PeerChannel.shell, .control] {
            let id = try client.request("interrupt_request", on: channel)
            #expect(try client.reply(to: id, on: channel, timeout: 15_000).session.hasPrefix("relay-"))
        }
        #expect(signals.count == 2)
        #expect(rig.relay.statistics[.iopub, .toClient].messages < 300_000)
        withExtendedLifetime(slow) {}
    }

    /// The signal would reach whatever comes in the kernel's place.
    @Test func aKernelThatHasGoneIsNotSignalled() throws {
        let signals = Signals()
        let rig = try rig(.auto, signals, script: Self.ignorant)
        defer { rig.end() }
        let client = try rig.client()
        let id = try client.request("interrupt_request", on: .control)
        #expect(rig.kernel.wait { $0.messages(on: .control).last?.id == id })
        rig.kernel.stop(abrupt: true)
        #expect(rig.wait { !$0.connected })
        try rig.kernel.start()
        #expect(rig.wait { $0.kernelConnections == 2 && $0.connected })
        #expect(try client.next(on: .control, timeout: 1500) == nil)
        #expect(signals.count == 0)
    }
}
