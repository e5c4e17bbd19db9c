import FakeJupyter
import Glibc
import KernelRelay
import Synchronization
import Testing

/// A relay that speaks for a kernel that is not there: after a launch that failed, and after a death.
@Suite struct SpokesmanTests {
    /// What the relay told its owner.
    private final class Events: Sendable {
        private let events = Mutex<[RelayEvent]>([])
        func add(_ event: RelayEvent) { events.withLock { $0.append(event) } }
        var all: [RelayEvent] { events.withLock { $0 } }
        func count(_ event: RelayEvent) -> Int { all.count { $0 == event } }
        func wait(_ event: RelayEvent, times: Int = 1) -> Bool {
            let deadline = Deadline(milliseconds: 15_000)
            while !deadline.passed, count(event) < times { usleep(2000) }
            return count(event) == times
        }
    }

    /// A relay without a kernel, and its clients.
    private final class Front {
        let address: PeerAddress
        let relay: Relay
        let events = Events()
        private var clients: [FakeClient] = []

        init(key: String = "the-notebook's-key") throws {
            address = try .loopback(key: key)
            var options = RelayOptions()
            options.onEvent = { [events] in events.add($0) }
            relay = try Relay(front: address.info(), options: options)
        }

        func client() throws -> FakeClient {
            let client = try FakeClient(address)
            clients.append(client)
            let deadline = Deadline(milliseconds: 10_000)
            while !deadline.passed, relay.statistics[.iopub, .toKernel].messages < clients.count {
                usleep(2000)
            }
            return client
        }

        /// Until it speaks: a cell that came before would be answered by this speech, and not lead to an attempt.
        func speak(_ speech: Speech, to client: FakeClient) throws {
            relay.speak(speech)
            _ = try client.ask("kernel_info_request", timeout: 15_000)
        }

        func end() {
            for client in clients { client.close() }
            relay.stop(listening: .zero)
        }
    }

    private static func speech(_ name: String = "KR-X", news: Bool = false) -> Speech {
        Speech(name: name, text: "why it is", traceback: ["why", "mend"], isNews: news)
    }

    private static let cell = #"{"code": "1"}"#

    private func expectFailed(
        _ id: String, _ client: FakeClient, _ name: String = "KR-X", busy: Int = 1
    ) throws {
        let reply = try client.reply(to: id, timeout: 15_000)
        #expect(reply.type == "execute_reply" && JSONText.string("status", in: reply.content) == "error")
        #expect(JSONText.string("ename", in: reply.content) == name)
        let outputs = try client.outputs(of: id, timeout: 15_000)
        #expect(outputs.map(\.type).filter { $0 != "status" } == ["error"])
        #expect(outputs.last?.type == "status" && outputs.first?.type == "status")
        let error = try #require(outputs.first { $0.type == "error" })
        #expect(error.topic == "kernel.error" && JSONText.string("evalue", in: error.content) == "why it is")
    }

    @Test(arguments: ["the-notebook's-key", ""])
    func itAnswersWhatAKernelWould(key: String) throws {
        let front = try Front(key: key)
        defer { front.end() }
        let client = try front.client()
        let early = try client.request("kernel_info_request")
        front.relay.speak(Self.speech())
        #expect(try client.reply(to: early, timeout: 15_000).type == "kernel_info_reply")
        for channel in [PeerChannel.shell, .control] {
            for type in ["kernel_info", "comm_info", "interrupt", "strange"] {
                let request = SignedMessage("\(type)_request", session: client.session)
                try client.send(request, on: channel)
                let reply = try client.reply(to: request.id, on: channel, timeout: 15_000)
                #expect(reply.type == "\(type)_reply" && reply.parentHeader == request.header)
                let states = try client.outputs(of: request.id).map {
                    JSONText.string("execution_state", in: $0.content)
                }
                #expect(states == ["busy", "idle"])
            }
        }
        #expect(try client.ping(timeout: 10_000))
        #expect(front.events.all.isEmpty)
    }

    @Test func whatIsNotSignedHasNoAnswer() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        front.relay.speak(Self.speech())
        for channel in [PeerChannel.shell, .control] {
            for type in ["kernel_info_request", "execute_request", "shutdown_request"] {
                let message = SignedMessage(type, session: client.session)
                try client.sendRaw(message.frames(for: front.address.with(key: "a guess")), on: channel)
                try client.sendRaw(message.frames(for: front.address.with(key: "")), on: channel)
            }
            #expect(try client.ask("next_request", on: channel, timeout: 15_000).type == "next_reply")
            #expect(try client.unclaimed(on: channel).isEmpty)
        }
        let figures = front.relay.statistics
        #expect(figures.rejected(.badSignature) == 6 && figures.rejected(.missingSignature) == 6)
        #expect(front.events.all.isEmpty)
    }

    /// Frames of which no message is made, and headers of which nothing is known.
    @Test func oddMessagesEndNothing() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        front.relay.speak(Self.speech())
        try client.sendRaw([Array("noise".utf8)], on: .shell)
        try client.sendRaw([SignedMessage.delimiter, [], [], []], on: .control)
        for header in ["", "[]", "{\"msg_type\": 3}", String(repeating: "[", count: 100_000)] {
            var message = SignedMessage("execute_request", session: client.session)
            message.header = Array(header.utf8)
            try client.send(message, on: .shell)
        }
        var crowded = SignedMessage("kernel_info_request", session: client.session)
        crowded.identities = (0..<20).map { _ in Array("x".utf8) }
        try client.send(crowded, on: .shell)
        try client.sendRaw([Array("input_reply".utf8)], on: .stdin)
        #expect(try client.ask("next_request", timeout: 15_000).type == "next_reply")
        #expect(try client.ask("next_request", on: .control, timeout: 15_000).type == "next_reply")
        #expect(front.events.all.isEmpty)
    }

    @Test func aCellThatWaitsIsToldWhy() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        try front.speak(Self.speech("KR-FIRST"), to: client)
        let id = try client.request("execute_request", content: Self.cell)
        #expect(front.events.wait(.attempt))
        // While it is tried again control is heard, and shell is not.
        #expect(try client.ask("next_request", on: .control, timeout: 15_000).type == "next_reply")
        #expect(try client.ping(timeout: 10_000))
        let behind = try client.request("execute_request", content: Self.cell)
        let asked = try client.request("kernel_info_request")
        #expect(try client.next(on: .shell, timeout: 200) == nil)
        front.relay.speak(Self.speech("KR-SECOND"))
        try expectFailed(id, client, "KR-SECOND")
        let aborted = try client.reply(to: behind, timeout: 15_000)
        #expect(JSONText.string("status", in: aborted.content) == "aborted")
        #expect(try client.outputs(of: behind).map(\.type) == ["status", "status"])
        #expect(try client.reply(to: asked, timeout: 15_000).type == "kernel_info_reply")
        #expect(front.events.count(.attempt) == 1)
        // And the next one is tried again.
        _ = try client.request("execute_request", content: Self.cell)
        #expect(front.events.wait(.attempt, times: 2))
    }

    @Test func twoClientsBothHaveAnAnswer() throws {
        let front = try Front()
        defer { front.end() }
        let clients = try [front.client(), front.client()]
        try front.speak(Self.speech(), to: clients[0])
        let first = try clients[0].request("execute_request", content: Self.cell)
        #expect(front.events.wait(.attempt))
        let second = try clients[1].request("execute_request", content: Self.cell)
        // It has arrived when what was sent after it by another way has.
        _ = try clients[1].ask("next_request", on: .control, timeout: 15_000)
        usleep(100_000)
        front.relay.speak(Self.speech())
        try expectFailed(first, clients[0])
        try expectFailed(second, clients[1])
        #expect(front.events.count(.attempt) == 1)
    }

    @Test func aKernelThatComesRunsTheCell() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        try front.speak(Self.speech(), to: client)
        let id = try client.request("execute_request", content: Self.cell)
        #expect(front.events.wait(.attempt))
        let behind = try client.request("execute_request", content: Self.cell)
        let kernel = FakeKernel(try .loopback(key: "the-kernel's-key"))
        try kernel.start()
        defer { kernel.stop() }
        try front.relay.connect(to: KernelAddress(kernel.address.info()), as: "a new name")
        for each in [id, behind] {
            let reply = try client.reply(to: each, timeout: 15_000)
            #expect(reply.session == "kernel-session" && reply.type == "execute_reply")
            let outputs = try client.outputs(of: each, timeout: 15_000).map(\.type)
            // The first busy is the relay's own.
            #expect(
                outputs
                    == (each == id
                        ? ["status", "status", "stream", "status"] : ["status", "stream", "status"]))
        }
        #expect(kernel.record.messages(on: .shell).map(\.id) == [id, behind], "in their order")
        #expect(kernel.record.badSignatures == 0)
        #expect(front.events.wait(.reached))
        #expect(try client.ping(timeout: 10_000))
        #expect(kernel.record.types(on: .shell).count == 2)
    }

    @Test func aCellThatADeadKernelHadIsAnswered() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        // Reads its requests, and answers no cell.
        var options = FakeKernel.Options()
        options.script = { $1.type == "execute_request" ? [] : usualScript($0, $1) }
        let kernel = FakeKernel(try .loopback(key: "the-kernel's-key"), options: options)
        try kernel.start()
        try front.relay.connect(to: KernelAddress(kernel.address.info()))
        let ids = try (0..<3).map { _ in try client.request("execute_request", content: Self.cell) }
        #expect(kernel.wait(milliseconds: 15_000) { $0.types(on: .shell).count == 3 })
        kernel.stop()
        front.relay.speak(Self.speech("KR-DEAD", news: true))
        try expectFailed(ids[0], client, "KR-DEAD")
        for id in ids[1...] {
            let reply = try client.reply(to: id, timeout: 15_000)
            #expect(JSONText.string("status", in: reply.content) == "aborted")
        }
        // They know: the next one is to start another.
        _ = try client.request("execute_request", content: Self.cell)
        #expect(front.events.wait(.attempt))
    }

    @Test func aDeathThatNobodySawIsToldFirst() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        let kernel = FakeKernel(try .loopback(key: "the-kernel's-key"))
        try kernel.start()
        try front.relay.connect(to: KernelAddress(kernel.address.info()))
        let answered = try client.ask("execute_request", content: Self.cell, timeout: 15_000)
        _ = try client.outputs(of: answered.parentID)
        kernel.stop()
        front.relay.speak(Self.speech("KR-DEAD", news: true))
        try expectFailed(client.request("execute_request", content: Self.cell), client, "KR-DEAD")
        #expect(front.events.count(.attempt) == 0)
        _ = try client.request("execute_request", content: Self.cell)
        #expect(front.events.wait(.attempt))
    }

    /// A person sees nothing of what a front end asks silently: neither news nor a kernel is spent on it.
    @Test func aSilentCellChangesNothing() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        front.relay.speak(Self.speech("KR-DEAD", news: true))
        let silent = #"{"code": "1", "silent": true}"#
        for _ in 0..<2 {
            let reply = try client.ask("execute_request", content: silent, timeout: 15_000)
            #expect(JSONText.string("ename", in: reply.content) == "KR-DEAD")
        }
        try expectFailed(client.request("execute_request", content: Self.cell), client, "KR-DEAD")
        let reply = try client.ask("execute_request", content: silent, timeout: 15_000)
        #expect(JSONText.string("status", in: reply.content) == "error")
        #expect(front.events.all.isEmpty)
        _ = try client.request("execute_request", content: Self.cell)
        #expect(front.events.wait(.attempt))
    }

    @Test func anInterruptAndAnEndAreToldOf() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        front.relay.speak(Self.speech())
        _ = try client.ask("interrupt_request", on: .control, timeout: 15_000)
        #expect(front.events.all.isEmpty, "there is nothing to interrupt")
        _ = try client.request("execute_request", content: Self.cell)
        #expect(front.events.wait(.attempt))
        _ = try client.ask("interrupt_request", on: .control, timeout: 15_000)
        #expect(front.events.wait(.interrupted))
        let reply = try client.ask("shutdown_request", on: .control, timeout: 15_000)
        #expect(reply.type == "shutdown_reply")
        #expect(front.events.wait(.shutdown))
    }

    @Test func aKernelThatIsToldToEndIsKnownToBe() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        let kernel = FakeKernel(try .loopback(key: "the-kernel's-key"))
        try kernel.start()
        defer { kernel.stop() }
        try front.relay.connect(to: KernelAddress(kernel.address.info()))
        _ = try client.ask("shutdown_request", on: .control, timeout: 15_000)
        #expect(front.events.wait(.shutdown))
    }

    /// Heartbeats and answers to questions are none of its business, whatever they say.
    @Test func whatIsNoRequestIsNotBelieved() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        let kernel = FakeKernel(try .loopback(key: "the-kernel's-key"))
        try kernel.start()
        defer { kernel.stop() }
        try front.relay.connect(to: KernelAddress(kernel.address.info()))
        _ = try client.ask("next_request", timeout: 15_000)
        let order = SignedMessage("shutdown_request", session: "stranger")
        let context = PeerContext()
        let stranger = try PeerSocket(context, .dealer)
        defer {
            stranger.close()
            withExtendedLifetime(context) {}
        }
        try stranger.connect(front.address.endpoint(.hb))
        for frames in [[order.header], [[], order.header], [[], [], order.header]] {
            _ = try stranger.send(frames, timeout: 5000)
            #expect(try stranger.receive(timeout: 10_000) == frames)
        }
        try client.send(order, on: .stdin)
        #expect(kernel.wait(milliseconds: 10_000) { $0.types(on: .stdin).contains("shutdown_request") })
        #expect(front.events.all == [.reached])
    }

    /// What is said last arrives although the relay ends at once.
    @Test func theReasonArrivesBeforeTheEnd() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.client()
        try front.speak(Self.speech(), to: client)
        let id = try client.request("execute_request", content: Self.cell)
        #expect(front.events.wait(.attempt))
        front.relay.speak(Self.speech("KR-LAST"))
        front.relay.stop()
        try expectFailed(id, client, "KR-LAST")
    }

    @Test func portsThatAreTakenAreBoundLater() throws {
        let address = try PeerAddress.loopback(key: "k")
        let events = Events()
        var options = RelayOptions()
        options.onEvent = { events.add($0) }
        options.bindsWhatItCan = true
        var taken: TakenPorts? = try TakenPorts(address, [.control, .hb])
        let relay = try Relay(front: address.info(), options: options)
        defer { relay.stop(listening: .zero) }
        relay.speak(Self.speech("KR-PORT-IN-USE"))
        #expect(throws: RelayError.self) { try relay.bindRest() }
        let client = try FakeClient(address)
        defer { client.close() }
        #expect(try client.ask("kernel_info_request", timeout: 15_000).type == "kernel_info_reply")
        withExtendedLifetime(taken) {}
        taken = nil
        try relay.bindRest()
        #expect(
            try client.ask("kernel_info_request", on: .control, timeout: 15_000).type == "kernel_info_reply")
        #expect(try client.ping(timeout: 10_000))
    }

    /// Without shell nobody can be told anything.
    @Test func withoutShellNothingIsBound() throws {
        let address = try PeerAddress.loopback(key: "k")
        var options = RelayOptions()
        options.onEvent = { _ in }
        options.bindsWhatItCan = true
        let taken = try TakenPorts(address, [.shell])
        #expect(throws: RelayError.self) { try Relay(front: address.info(), options: options) }
        withExtendedLifetime(taken) {}
    }
}
