import FakeJupyter
import KernelRelay
import Testing

/// A kernel that goes and comes back on the same ports while the relay stays.
@Suite struct KernelRestartTests {
    @Test func isFoundAgainEveryTime() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        for round in 2...8 {
            rig.kernel.stop(abrupt: round.isMultiple(of: 2))
            try rig.kernel.start()
            #expect(rig.wait { $0.kernelConnections == round && $0.connected })
            let reply = try client.ask("execute_request", content: #"{"code": "1"}"#, timeout: 15_000)
            #expect(try client.outputs(of: reply.parentID, timeout: 15_000).count == 3)
            #expect(try client.ping(timeout: 10_000))
        }
    }

    /// What was sent to a kernel that had stopped reading, and then died.
    @Test func theNewOneGetsNothingOfTheOld() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let asked = rig.relay.statistics[.shell, .toKernel].messages
        rig.kernel.pauseReading([.shell, .control, .stdin])
        for _ in 0..<20 {
            try client.request("old_request")
            try client.request("old_request", on: .control)
        }
        #expect(
            rig.wait {
                $0[.shell, .toKernel].messages == asked + 20 && $0[.control, .toKernel].messages == 20
            })
        try restart(rig)
        #expect(try client.ask("new_request", timeout: 15_000).type == "new_reply")
        #expect(try client.ask("new_request", on: .control, timeout: 15_000).type == "new_reply")
        #expect(!rig.kernel.record.types(on: .shell).contains("old_request"))
        #expect(!rig.kernel.record.types(on: .control).contains("old_request"))
    }

    /// The same with so many that they fill the relay and wait in front of it: held, in libzmq's queues, in
    /// the sockets' buffers. All were sent before the kernel went.
    @Test func theNewOneGetsNothingThatWaitedBeforeTheRelay() throws {
        var options = FakeKernel.Options()
        options.requestHighWaterMark = 10
        let rig = try Rig(kernel: options)
        defer { rig.end() }
        let client = try rig.client()
        rig.kernel.pauseReading([.shell])
        let bulk = [UInt8](repeating: 9, count: 100_000)
        for _ in 0..<800 { try client.request("old_request", buffers: [bulk]) }
        #expect(rig.wait { $0[.shell, .toKernel].heldMessages == 1 })
        try restart(rig)
        #expect(try client.ask("new_request", timeout: 20_000).type == "new_reply")
        let late = rig.kernel.record.types(on: .shell).filter { $0 == "old_request" }.count
        #expect(late == 0)
        #expect(rig.relay.statistics[.shell, .toKernel].rejected[.stale] ?? 0 > 0)
    }

    @Test func whatTheOldOneSaidLastArrives() throws {
        var options = FakeKernel.Options()
        options.script = { channel, message in
            guard message.type == "farewell_request" else { return usualScript(channel, message) }
            return [
                .flood(count: 500, size: 10_000, then: [.reply("farewell_reply", content: "{}"), .exit])
            ]
        }
        let rig = try Rig(kernel: options)
        defer { rig.end() }
        let client = try rig.client()
        let id = try client.request("farewell_request")
        #expect(rig.kernel.wait(milliseconds: 15_000) { $0.exited })
        rig.kernel.stop()
        try rig.kernel.start()
        // Nothing was read so far: the client is slower than the kernel's end and its next beginning.
        for number in 0..<500 {
            let stream = try #require(
                try client.next(on: .iopub, timeout: 15_000, where: { $0.type == "stream" }))
            #expect(JSONText.int("seq", in: stream.content) == number)
        }
        #expect(try client.reply(to: id, timeout: 15_000).type == "farewell_reply")
        #expect(rig.wait { $0.kernelConnections == 2 })
        #expect(try client.ask("new_request", timeout: 15_000).type == "new_reply")
    }

    /// A client that has stopped reading makes the relay hold all that it may. It must not keep the others
    /// from the next kernel.
    @Test func isFoundAlthoughAClientDoesNotRead() throws {
        var options = RelayOptions()
        options.holdLimit = 100_000
        let rig = try Rig(relay: options)
        defer { rig.end() }
        let client = try FakeClient(rig.front, topic: "nothing")
        defer { client.close() }
        #expect(try client.ask("some_request", timeout: 15_000).type == "some_reply")
        let stopped = try rig.client(settled: false, iopubHighWaterMark: 10)
        #expect(rig.hasSubscribers(2))
        try client.request("flood_request", content: #"{"count": 200000, "size": 10000}"#)
        // Until the client's queue and the system's buffers are full what is held comes and goes.
        var (passed, since) = (0, Deadline(milliseconds: 500))
        #expect(
            rig.wait(milliseconds: 15_000) {
                let lane = $0[.iopub, .toClient]
                if lane.messages != passed || lane.heldBytes < 100_000 {
                    (passed, since) = (lane.messages, Deadline(milliseconds: 500))
                }
                return since.passed
            })
        try restart(rig)
        #expect(rig.relay.statistics[.iopub, .toClient].heldBytes >= 100_000)
        #expect(try client.ask("new_request", timeout: 15_000).type == "new_reply")
        withExtendedLifetime(stopped) {}
    }

    private func restart(_ rig: Rig) throws {
        rig.kernel.stop(abrupt: true)
        // Seen to be gone before the next one starts, or that would be met by the old connections' requests.
        #expect(rig.wait { !$0.connected })
        try rig.kernel.start()
        #expect(rig.wait { $0.kernelConnections == 2 && $0.connected })
    }
}
