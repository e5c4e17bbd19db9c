import CZMQ
import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// A subscriber that asks for more than anybody could want. It costs itself something and the kernel next to nothing.
@Suite struct HostileSubscriptionTests {
    @Test func aHundredThousandTopics() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let context = PeerContext()
        let hostile = try PeerSocket(context, .sub)
        defer { hostile.close() }
        // Or libzmq drops, without a word, what is beyond the mark.
        try hostile.set(ZMQ_SNDHWM, 0)
        try hostile.connect(rig.front.endpoint(.iopub))
        for number in 0..<100_000 { try hostile.set(ZMQ_SUBSCRIBE, "topic-\(number)-of-many") }
        // Subscriptions arrive in order: whoever gets this has had all the others taken in.
        try hostile.set(ZMQ_SUBSCRIBE, "the last")
        try expectPublished("the last", to: hostile, rig)
        try expectUnharmed(rig, client)
        #expect(rig.kernel.record.received[.iopub]!.count <= Tuning.mostTopics + 8)
    }

    /// libzmq keeps topics in a tree with a node for each byte: this one takes a hundred times its size, and no key
    /// guards it. In a process of its own, whose memory is looked at; and without libzmq on this side, which ends
    /// its own process when it takes such a tree down.
    @Test func aTopicOfEightMegabytes() throws {
        let front = try PeerAddress.loopback(key: "front")
        let kernel = FakeKernel(try .loopback(key: "back"))
        try kernel.start()
        defer { kernel.stop() }
        let process = try RelayProcess(front: front, back: kernel.address)
        let client = try FakeClient(front)
        defer { client.close() }
        try client.settle()
        let hostile = try RawPeer(front, .iopub)
        try hostile.shakeHands(as: "SUB")
        // The relay may hang up in the middle of it.
        try? hostile.write(RawPeer.longFrameHead((8 << 20) + 1, more: false))
        try? hostile.write([1] + [UInt8](repeating: 65, count: 8 << 20))
        // A later subscription by the same socket, so that the relay has looked at the first by then.
        let late = try FakeClient(front)
        defer { late.close() }
        try late.settle()
        try client.settle()
        #expect(try process.memory("VmHWM") < 128 << 20)
        let longest = kernel.record.received[.iopub]!.map { $0[0].count }.max() ?? 0
        #expect(longest <= Tuning.longestTopic + 1)
        _ = try process.finish()
    }

    /// Each subscription to a kernel that welcomes makes a message, and this subscriber reads none of them. What the
    /// relay holds for it must have its bound as everything else.
    @Test func endlessSubscribingWithoutReading() throws {
        var options = FakeKernel.Options()
        options.sendsWelcome = true
        let rig = try Rig(kernel: options)
        defer { rig.end() }
        // It must not be sent the welcomes too.
        let client = try FakeClient(rig.front, topic: "kernel")
        defer { client.close() }
        try client.settle()
        let context = PeerContext()
        let hostile = try PeerSocket(context, .xsub)
        defer { hostile.close() }
        try hostile.set(ZMQ_SNDHWM, 0)
        try hostile.set(ZMQ_RCVHWM, 1)
        try hostile.connect(rig.front.endpoint(.iopub))
        let before = rig.relay.statistics[.iopub, .toKernel].messages
        for _ in 0..<200_000 { try hostile.send([[1] + Array("mine".utf8)]) }
        // Until it has taken them all in, or takes no more.
        var last = -1
        #expect(
            rig.wait(milliseconds: 60_000) {
                let now = $0[.iopub, .toKernel].messages - before
                defer { last = now }
                usleep(200_000)
                return now >= 200_000 || now == last
            })
        #expect(rig.relay.statistics[.iopub, .toClient].heldBytes < Tuning.holdLimit + (1 << 20))
        #expect(try client.ask("some_request", on: .control, timeout: 15_000).type == "some_reply")
        hostile.close()
        #expect(rig.wait { $0[.iopub, .toClient].heldMessages == 0 })
        let reply = try client.ask("some_request", timeout: 15_000)
        #expect(try client.outputs(of: reply.parentID, timeout: 15_000).count == 2)
    }

    /// XSUB lets its owner send anything upstream: whole messages, unsubscribing what it never had.
    @Test func messagesInTheWrongDirection() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let before = rig.kernel.record.received[.iopub] ?? []
        let context = PeerContext()
        let hostile = try PeerSocket(context, .xsub)
        defer { hostile.close() }
        try hostile.connect(rig.front.endpoint(.iopub))
        let forged = SignedMessage("stream", session: "hostile", identities: [[2]])
        for frames in [
            [[0]], [[0, 1, 2]], [[2]], [[]], [[1, 7], [1, 8]], forged.frames(for: rig.front),
            [[UInt8](repeating: 3, count: 100_000)],
        ] as [[[UInt8]]] {
            try hostile.send(frames)
        }
        try hostile.send([[1] + Array("the last".utf8)])
        try expectPublished("the last", to: hostile, rig)
        try expectUnharmed(rig, client)
        let came = rig.kernel.record.received[.iopub]!.dropFirst(before.count)
        #expect(came.allSatisfy { $0.count == 1 && $0[0].first == 1 && $0[0].count <= 9 })
    }

    /// A message of this topic reaches the subscriber in the end: it is published until it does, as there is no
    /// other sign that a subscription has been taken in.
    private func expectPublished(_ topic: String, to socket: PeerSocket, _ rig: Rig) throws {
        let deadline = Deadline(milliseconds: 20_000)
        while !deadline.passed {
            rig.kernel.publish(
                SignedMessage("stream", session: "k", identities: [Array(topic.utf8)]))
            if try socket.receive(timeout: 50) != nil { return }
        }
        Issue.record("nothing came for the topic \(topic)")
    }

    private func expectUnharmed(_ rig: Rig, _ client: FakeClient) throws {
        let reply = try client.ask("some_request", timeout: 15_000)
        #expect(try client.outputs(of: reply.parentID, timeout: 15_000).count == 2)
        let late = try rig.client()
        #expect(try late.ping(timeout: 15_000))
    }
}
