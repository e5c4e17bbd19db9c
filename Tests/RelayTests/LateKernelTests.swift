import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// A request that is there before the kernel is: it waits, and nothing of what it causes is lost.
@Suite struct LateKernelTests {
    /// Each lateness meets the relay at another point of its attempts.
    @Test(arguments: 0..<24)
    func firstBusyArrives(_ round: Int) throws {
        let rig = try Rig(startKernel: false)
        defer { rig.end() }
        let client = try rig.client(settled: false)
        #expect(rig.hasSubscribers(1))
        let id = try client.request("execute_request", content: #"{"code": "1"}"#)
        let control = try client.request("early_request", on: .control)
        usleep(UInt32(round) * 7_000)
        try rig.kernel.start()
        #expect(try client.reply(to: id, timeout: 15_000).type == "execute_reply")
        let outputs = try client.outputs(of: id, timeout: 15_000)
        #expect(outputs.map(\.type) == ["status", "stream", "status"])
        #expect(JSONText.string("execution_state", in: outputs[0].content) == "busy")
        #expect(try client.reply(to: control, on: .control, timeout: 15_000).type == "early_reply")
    }

    /// A kernel that binds its ports one by one is met half-way, with some of them refused.
    @Test(arguments: [Int32(3), 15, 60])
    func aKernelThatBindsSlowlyIsFound(_ pause: Int32) throws {
        var options = FakeKernel.Options()
        options.bindPause = pause
        let rig = try Rig(kernel: options, startKernel: false)
        defer { rig.end() }
        let client = try rig.client(settled: false)
        #expect(rig.hasSubscribers(1))
        let id = try client.request("execute_request", content: #"{"code": "1"}"#)
        try rig.kernel.start()
        #expect(try client.reply(to: id, timeout: 15_000).type == "execute_reply")
        #expect(try client.outputs(of: id, timeout: 15_000).map(\.type) == ["status", "stream", "status"])
        // Once, whatever was tried before.
        #expect(rig.kernel.record.types(on: .shell) == ["execute_request"])
        #expect(rig.relay.statistics.kernelConnections == 1)
    }
}
