import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// What a relay says beside the output of a cell that waits.
@Suite struct RemarkTests {
    @Test func aCellIsToldOnceAndThatItIsOver() throws {
        var options = RelayOptions()
        options.onEvent = { _ in }
        let rig = try Rig(relay: options)
        defer { rig.end() }
        let client = try rig.client()
        // Nobody waits: nobody is told.
        rig.relay.remark(Remark("too early", trouble: "stuck"))
        rig.kernel.pauseReading([.shell])
        let passed = rig.relay.statistics[.shell, .toKernel].messages
        let cell = try client.request("execute_request", content: #"{"code": "the output"}"#)
        #expect(rig.wait { $0[.shell, .toKernel].messages == passed + 1 })
        for text in ["it is stuck", "it is stuck still"] { rig.relay.remark(Remark(text, trouble: "stuck")) }
        let told = try #require(try client.next(on: .iopub, timeout: 15_000) { $0.type == "stream" })
        #expect(told.parentID == cell)
        #expect(told.contentText.contains("it is stuck\"") && told.contentText.contains("stderr"))
        // It turns out to be something else.
        rig.relay.remark(Remark("the engine is gone", trouble: "engine"))
        let more = try #require(try client.next(on: .iopub, timeout: 15_000) { $0.type == "stream" })
        #expect(more.contentText.contains("the engine is gone"))
        for _ in 0..<2 { rig.relay.remark(Remark("it goes on", trouble: nil)) }
        let over = try #require(try client.next(on: .iopub, timeout: 15_000) { $0.type == "stream" })
        #expect(over.contentText.contains("it goes on"))
        rig.kernel.pauseReading([])
        let last = try #require(try client.next(on: .iopub, timeout: 15_000) { $0.type == "stream" })
        #expect(last.contentText.contains("the output"))
    }

    /// It may end before anybody has looked again: then its end says that it went on. Some kernels are idle before they
    /// reply, and a front end reads no further then.
    @Test(arguments: [false, true]) func aCellThatEndsFirstIsToldAtItsEnd(_ idleFirst: Bool) throws {
        var options = RelayOptions()
        options.onEvent = { _ in }
        var kernel = FakeKernel.Options()
        kernel.script = { channel, message in
            var actions = usualScript(channel, message)
            if idleFirst, message.type == "execute_request" { actions.swapAt(2, 3) }
            return actions
        }
        let rig = try Rig(kernel: kernel, relay: options)
        defer { rig.end() }
        let client = try rig.client()
        rig.kernel.pauseReading([.shell])
        let passed = rig.relay.statistics[.shell, .toKernel].messages
        let cell = try client.request("execute_request", content: #"{"code": "the output"}"#)
        #expect(rig.wait { $0[.shell, .toKernel].messages == passed + 1 })
        rig.relay.remark(Remark("it is stuck", trouble: "stuck"))
        _ = try #require(try client.next(on: .iopub, timeout: 15_000) { $0.type == "stream" })
        rig.kernel.pauseReading([])
        let outputs = try client.outputs(of: cell, timeout: 15_000)
        #expect(outputs.count { $0.contentText.contains("[relayd] it goes on") } == 1)
        // What was seen before is over for the next one, too.
        rig.relay.remark(.over)
        let next = try client.request("execute_request", content: #"{"code": "more"}"#)
        let texts = try client.outputs(of: next, timeout: 15_000).map(\.contentText)
        #expect(!texts.contains { $0.contains("it goes on") || $0.contains("stuck") })
    }
}
