import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// A relay that is there before anybody knows where its kernel is, or that is sent to another.
@Suite struct UnknownBackTests {
    /// A relay without a back, and a client of it.
    private final class Front {
        let address: PeerAddress
        let relay: Relay
        private var client: FakeClient?

        init(_ options: RelayOptions = .init()) throws {
            address = try .loopback(key: "the-notebook's-key")
            relay = try Relay(front: address.info(), options: options)
        }

        func connect() throws -> FakeClient {
            let client = try FakeClient(address)
            self.client = client
            try #require(wait { $0[.iopub, .toKernel].messages == 1 })
            return client
        }

        func wait(until done: (RelayStatistics) -> Bool) -> Bool {
            let deadline = Deadline(milliseconds: 10_000)
            while !deadline.passed {
                if done(relay.statistics) { return true }
                usleep(2000)
            }
            return done(relay.statistics)
        }

        func end() {
            client?.close()
            relay.stop(listening: .zero)
        }
    }

    private func kernel(key: String, scheme: String = "hmac-sha256") throws -> FakeKernel {
        var address = try PeerAddress.loopback(key: key)
        address.scheme = scheme
        let kernel = FakeKernel(address)
        try kernel.start()
        return kernel
    }

    @Test func requestsWaitUntilTheKernelIsNamed() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.connect()
        let id = try client.request("execute_request", content: #"{"code": "1"}"#)
        let control = try client.request("early_request", on: .control)
        #expect(front.relay.statistics.failedConnects == 0)
        let kernel = try kernel(key: "the-kernel's-key", scheme: "hmac-sha512")
        defer { kernel.stop() }
        try front.relay.connect(to: KernelAddress(kernel.address.info()))
        #expect(try client.reply(to: id, timeout: 15_000).type == "execute_reply")
        #expect(try client.outputs(of: id, timeout: 15_000).map(\.type) == ["status", "stream", "status"])
        #expect(try client.reply(to: control, on: .control, timeout: 15_000).type == "early_reply")
        #expect(try client.ping(timeout: 10_000))
        #expect(kernel.record.badSignatures == 0)
        #expect(front.relay.statistics.drops == [])
        #expect(front.relay.statistics.kernelConnections == 1)
    }

    /// Each with a key and a hash of its own, the old one alive all the time.
    @Test func anotherKernelTakesThePlaceOfTheFirst() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.connect()
        let kernels = try [
            ("one", "hmac-sha256"), ("two", "hmac-sha1"), ("", "hmac-sha256"), ("four", "hmac-md5"),
        ]
        .map { try kernel(key: $0.0, scheme: $0.1) }
        defer { for kernel in kernels { kernel.stop() } }
        for (index, kernel) in kernels.enumerated() {
            try front.relay.connect(to: KernelAddress(kernel.address.info()))
            #expect(front.wait { $0.kernelConnections == index + 1 && $0.connected })
            let id = try client.request("numbered_request", content: "{\"number\": \(index)}")
            #expect(try client.reply(to: id, timeout: 15_000).contentText == "{\"number\": \(index)}")
            #expect(try client.outputs(of: id, timeout: 15_000).count == 2)
            #expect(kernel.record.types(on: .shell) == ["numbered_request"])
        }
        #expect(kernels.allSatisfy { $0.record.badSignatures == 0 })
        #expect(front.relay.statistics.drops == [])
    }

    /// What was on its way to a kernel when the relay was sent to another is not the other's to answer; what the old
    /// one said in time arrives.
    @Test func whatWasMeantForTheOldOneIsDropped() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.connect()
        let (old, new) = (try kernel(key: "old"), try kernel(key: "new"))
        defer { for kernel in [old, new] { kernel.stop() } }
        try front.relay.connect(to: KernelAddress(old.address.info()))
        let first = try client.request("first_request")
        _ = try client.reply(to: first, timeout: 15_000)
        old.pauseReading([.shell])
        for _ in 0..<20 { try client.request("old_request") }
        #expect(front.wait { $0[.shell, .toKernel].messages == 21 })
        old.publish(SignedMessage("last_words", session: "old", identities: [Array("topic".utf8)]))
        #expect(old.wait { $0.published == 3 })
        try front.relay.connect(to: KernelAddress(new.address.info()))
        #expect(front.wait { $0.kernelConnections == 2 && $0.connected })
        #expect(try client.next(on: .iopub, timeout: 15_000, where: { $0.type == "last_words" }) != nil)
        #expect(try client.ask("new_request", timeout: 15_000).type == "new_reply")
        #expect(new.record.types(on: .shell) == ["new_request"])
    }

    /// One that never stops talking does not keep the relay.
    @Test func aTalkativeOldOneIsPartedFrom() throws {
        var options = RelayOptions()
        options.holdLimit = 1 << 20
        let front = try Front(options)
        defer { front.end() }
        let client = try FakeClient(front.address, topic: "nothing")
        defer { client.close() }
        let (old, new) = (try kernel(key: "old"), try kernel(key: "new"))
        defer { for kernel in [old, new] { kernel.stop(abrupt: true) } }
        try front.relay.connect(to: KernelAddress(old.address.info()))
        try client.request("storm_request", content: #"{"count": 1000000000, "size": 500}"#)
        #expect(front.wait { $0[.iopub, .toClient].messages > 1000 })
        try front.relay.connect(to: KernelAddress(new.address.info()))
        #expect(front.wait { $0.kernelConnections == 2 && $0.connected })
        #expect(try client.ask("new_request", timeout: 15_000).type == "new_reply")
    }

    /// The newest counts, whatever the relay was about to do for the others.
    @Test func manyInARowLeadToTheLast() throws {
        let front = try Front()
        defer { front.end() }
        let client = try front.connect()
        let id = try client.request("only_request")
        let nobody = try PeerAddress.loopback(key: "nobody")
        let kernel = try kernel(key: "somebody")
        defer { kernel.stop() }
        for _ in 0..<50 { try front.relay.connect(to: KernelAddress(nobody.info())) }
        #expect(front.wait { $0.failedConnects > 0 })
        for _ in 0..<50 { try front.relay.connect(to: KernelAddress(nobody.info())) }
        try front.relay.connect(to: KernelAddress(kernel.address.info()))
        #expect(try client.reply(to: id, timeout: 15_000).type == "only_reply")
        #expect(kernel.record.types(on: .shell) == ["only_request"])
    }

    /// At once, and with a command on its way.
    @Test func stopsBeforeAndWhileItIsNamed() throws {
        let kernel = try kernel(key: "back")
        defer { kernel.stop() }
        let address = try KernelAddress(kernel.address.info())
        for round in 0..<30 {
            let front = try Front()
            let begun = ContinuousClock.now
            switch round % 3 {
            case 0: break
            case 1: try front.relay.connect(to: address)
            default:
                let relay = front.relay
                try atOnce(2) { $0 == 0 ? relay.stop(listening: .zero) : try relay.connect(to: address) }
            }
            // Nothing has to be heard out where nothing was connected.
            if round % 3 == 0 {
                front.relay.stop(listening: .seconds(10))
                #expect(ContinuousClock.now - begun < .seconds(5))
            }
            front.end()
            // The ports belong to nobody.
            _ = try TakenPorts(front.address)
            // It means nothing any more, and does no harm.
            try front.relay.connect(to: address)
        }
    }

    /// Channels with endpoints on different hosts, and channels that share one.
    @Test func whatCannotBeReachedIsRefused() throws {
        let front = try Front()
        defer { front.end() }
        let key = SigningKey("key")
        func refusal(_ endpoints: [Channel: String], _ credentials: GateCredentials? = nil) -> ErrorCode? {
            do throws(RelayError) {
                try front.relay.connect(
                    to: KernelAddress(endpoints: endpoints, key: key, credentials: credentials))
                return nil
            } catch {
                return error.code
            }
        }
        func all(_ text: String) -> [Channel: String] {
            Dictionary(uniqueKeysWithValues: Channel.allCases.map { ($0, text) })
        }
        let gate = GateCredentials(kernel: "k", token: "t")
        #expect(refusal(all("tcp://10.0.0.1:5000"), gate) == nil)
        #expect(refusal(all("tcp://10.0.0.1:5000")) == .connectionPortDoubled)
        #expect(refusal([.shell: "tcp://10.0.0.1:5000"], gate) == .connectionFieldMissing)
        for text in ["", "10.0.0.1", "tcp://*:5000", "tcp://10.0.0.2;10.0.0.1:5000", "inproc://x", "ipc://"] {
            #expect(refusal(all(text), gate) == .connectionAddress, "\(text)")
        }
        #expect(refusal(all("ipc:///\(String(repeating: "x", count: 107))"), gate) == .connectionIPCTooLong)
        #expect(refusal(all("tcp://10.0.0.1:5000"), GateCredentials(kernel: "", token: "t")) == .credentials)
        #expect(refusal(all(front.address.endpoint(.shell)), gate) == .connectionLoop)
    }

    /// However it is shown.
    @Test func anAddressShowsNoSecret() throws {
        let address = try KernelAddress(
            endpoints: Dictionary(
                uniqueKeysWithValues: Channel.allCases.map { ($0, "tcp://10.0.0.1:5000") }),
            key: SigningKey("a-secret"), credentials: GateCredentials(kernel: "k", token: "a-secret"))
        var text = "\(address) \(String(reflecting: address))"
        dump(address, to: &text)
        dump(try RouteProbe.Candidate(address), to: &text)
        #expect(text.contains("10.0.0.1") && !text.contains("a-secret"))
        #expect(try RouteProbe.Candidate(address).endpoints == ["tcp://10.0.0.1:5000"])
    }
}
