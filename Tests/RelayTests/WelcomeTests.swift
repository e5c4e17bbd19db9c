import FakeJupyter
import KernelRelay
import Testing

/// ipykernel 7.2 and later greets each new subscriber; clients wait for that before they send anything.
@Suite struct WelcomeTests {
    private var welcoming: FakeKernel.Options {
        var options = FakeKernel.Options()
        options.sendsWelcome = true
        return options
    }

    @Test func reachesEachSubscriber() throws {
        let rig = try Rig(kernel: welcoming)
        defer { rig.end() }
        for _ in 0..<3 {
            let client = try rig.client(settled: false)
            let welcome = try client.next(
                on: .iopub, timeout: 15_000, where: { $0.type == "iopub_welcome" })
            #expect(welcome != nil)
        }
    }

    @Test func reachesASubscriberThatWasThereBeforeTheKernel() throws {
        let rig = try Rig(kernel: welcoming, startKernel: false)
        defer { rig.end() }
        let client = try rig.client(settled: false)
        #expect(rig.hasSubscribers(1))
        try rig.kernel.start()
        #expect(try client.next(on: .iopub, timeout: 15_000, where: { $0.type == "iopub_welcome" }) != nil)
    }

    @Test func isNotMadeUpForAKernelThatSendsNone() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let id = try client.request("last_request")
        _ = try client.outputs(of: id, timeout: 15_000)
        #expect(try client.unclaimed(on: .iopub).filter { $0.type == "iopub_welcome" }.isEmpty)
    }

    @Test func reachesTheSubscriberOfATopic() throws {
        let rig = try Rig(kernel: welcoming)
        defer { rig.end() }
        // The kernel has welcomed by now.
        let first = try rig.client(settled: false)
        #expect(try first.next(on: .iopub, timeout: 15_000, where: { $0.type == "iopub_welcome" }) != nil)
        let second = try FakeClient(rig.front, topic: "kernel.stream")
        defer { second.close() }
        let welcome = try #require(
            try second.next(on: .iopub, timeout: 15_000, where: { $0.type == "iopub_welcome" }))
        #expect(welcome.topic == "kernel.stream")
        #expect(JSONText.string("subscription", in: welcome.content) == "kernel.stream")
    }

    /// The header of what may be a welcome is the kernel's, and decoded on a small stack.
    @Test func isNotLookedForInAHostileHeader() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        for (opening, closing) in [("{\"a\":", "}"), ("[", "]")] {
            for depth in [200, 500, 1300] {
                let bomb =
                    String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)
                for header in [bomb, "{\"msg_type\": \"iopub_welcome\", \"session\": \(bomb)}"] {
                    var message = SignedMessage("status", session: "bomb", content: "{}")
                    message.header = Array(header.utf8)
                    rig.kernel.publish(message)
                }
            }
        }
        #expect(rig.wait { $0[.iopub, .toClient].messages >= 12 })
        #expect(try client.ask("some_request", timeout: 15_000).type == "some_reply")
    }
}
