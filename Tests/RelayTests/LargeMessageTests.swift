import FakeJupyter
import KernelRelay
import Testing

extension HeavyTests {
    /// Messages of 200 MB, as content that is signed and as buffers that are not. They arrive whole, and control
    /// is answered while they pass.
    @Suite struct LargeMessageTests {
        enum Kind: CaseIterable {
            case content, buffer
        }

        private static let size = 200_000_000

        private static func message(_ kind: Kind, _ type: String, _ identities: [[UInt8]] = [])
            -> SignedMessage
        {
            switch kind {
            case .content:
                var message = SignedMessage(type, session: "large", identities: identities)
                message.content =
                    Array(#"{"text": ""#.utf8) + [UInt8](repeating: 0x61, count: size) + Array(#""}"#.utf8)
                return message
            case .buffer:
                return SignedMessage(
                    type, session: "large", identities: identities,
                    buffers: [[UInt8](repeating: 7, count: size), [1]])
            }
        }

        /// The reader takes what comes on another thread; this one asks until the last has arrived.
        @Test(arguments: Kind.allCases)
        func fromTheKernelWhileControlIsAnswered(_ kind: Kind) throws {
            let rig = try Rig()
            defer { rig.end() }
            let front = rig.front
            let messages = (0..<3).map { Self.message(kind, "large_\($0)", [Array("large".utf8)]) }
            let progress = Progress()
            let kernel = rig.kernel
            try atOnce(2) { role in
                if role == 0 {
                    let reader = try FakeClient(front, topic: "large")
                    defer { reader.close() }
                    defer { progress.end() }
                    // Until its subscription is in force, which nothing else would tell.
                    while try reader.next(on: .iopub, timeout: 50) == nil {
                        kernel.publish(
                            SignedMessage("ready", session: "k", identities: [Array("large".utf8)]))
                    }
                    progress.begin()
                    for message in messages { kernel.publish(message) }
                    for message in messages {
                        let came = try #require(
                            try reader.next(on: .iopub, timeout: 60_000, where: { $0.type != "ready" }))
                        #expect(came.id == message.id)
                        // Compared whole and without printing 200 MB where they differ.
                        #expect((came.content == message.content) as Bool)
                        #expect((came.buffers == message.buffers) as Bool)
                    }
                } else {
                    // Not a subscriber: what it does not read would in the end hold up the reader too.
                    let client = try FakeClient(front, topic: "nothing")
                    defer { client.close() }
                    progress.awaitBegin()
                    while true {
                        let reply = try client.ask("interrupt_request", on: .control, timeout: 20_000)
                        #expect(reply.type == "interrupt_reply")
                        if progress.hasEnded { break }
                        progress.count()
                    }
                }
            }
            #expect(progress.answers > 0, "no control request was answered while 600 MB passed")
            #expect(try rig.client().ask("some_request", timeout: 15_000).type == "some_reply")
            #expect(rig.relay.statistics.drops == [])
        }

        @Test(arguments: Kind.allCases)
        func toTheKernelAndBack(_ kind: Kind) throws {
            let rig = try Rig()
            defer { rig.end() }
            let client = try rig.client()
            let request = Self.message(kind, "large_request")
            try client.send(request, on: .shell)
            let reply = try client.reply(to: request.id, timeout: 60_000)
            #expect((reply.content == request.content) as Bool)
            #expect((reply.buffers == request.buffers) as Bool)
            #expect(rig.kernel.record.badSignatures == 0)
        }
    }
}
