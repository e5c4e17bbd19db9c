import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// When a kernel counts as used, and what is said of its end.
@Suite struct UseTests {
    /// What front ends and servers do by themselves.
    @Test func questionsAndHeartbeatsAreNoUse() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let before = rig.lastUse()
        for type in ["kernel_info_request", "comm_info_request"] {
            _ = try client.ask(type, timeout: 15_000)
        }
        for type in ["kernel_info_request", "debug_request", "usage_request", "some_request"] {
            _ = try client.ask(type, on: .control, timeout: 15_000)
        }
        let answered = rig.relay.pulse.beatsAnswered
        #expect(rig.waits { $0.beatsAnswered > answered })
        #expect(rig.relay.pulse.used == before && !rig.relay.pulse.isWorking)
    }

    @Test func whatSomebodyAsksForIs() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        for type in ["complete_request", "inspect_request", "history_request", "is_complete_request"] {
            let before = rig.lastUse()
            _ = try client.ask(type, timeout: 15_000)
            #expect(rig.waits { ($0.used).map { now in before.map { now > $0 } ?? true } ?? false })
        }
        let before = rig.lastUse()
        try client.request("comm_msg")
        #expect(rig.waits { $0.used != before })
    }

    @Test func aCellIsForAsLongAsItRuns() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        rig.kernel.pauseReading([.shell])
        try client.request("execute_request", content: #"{"code": "1"}"#)
        #expect(rig.waits { $0.isWorking })
        rig.kernel.pauseReading([])
        #expect(rig.waits { !$0.isWorking && $0.used != nil })
    }

    /// A widget's message has no reply: the kernel's own word counts.
    @Test func workWithoutAReplyIsToo() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let id = try client.request("comm_msg")
        #expect(rig.kernel.wait { $0.messages(on: .shell).last?.id == id })
        let header = try #require(rig.kernel.record.messages(on: .shell).last).header
        rig.publish(state: "busy", of: header)
        #expect(rig.waits { $0.isWorking })
        let before = rig.lastUse()
        rig.publish(state: "idle", of: header)
        #expect(rig.waits { !$0.isWorking && $0.used != before })
        // Busy with what nobody asked for on shell: a debugger's request, say.
        rig.publish(state: "busy", of: SignedMessage("debug_request", session: "c").header)
        #expect(rig.waits { $0.busySince != nil })
        #expect(!rig.relay.pulse.isWorking)
    }

    /// Front ends keep asking, and a debugger goes on telling, when nobody is there.
    @Test(arguments: ["debug_request", "kernel_info_request", "comm_info_request", "execute_request"])
    func whatIsPublishedCountsAsItsRequest(type: String) throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let before = rig.lastUse()
        let parent = SignedMessage(type, session: "c").header
        for content in [#"{"name": "stdout", "text": "x"}"#, String(repeating: " ", count: 100) + "{}"] {
            rig.kernel.publish(
                SignedMessage("stream", session: "k", content: content, parentHeader: parent))
            #expect(try client.next(on: .iopub, timeout: 15_000) { $0.type == "stream" } != nil)
        }
        #expect((rig.relay.pulse.used != before) == (type == "execute_request"))
    }

    @Test func whatADebuggerTellsIsNone() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let before = rig.lastUse()
        let content = #"{"type": "event", "event": "thread", "body": {"reason": "started", "threadId": 7}}"#
        // Of a cell that is debugged, too.
        for type in ["debug_request", "execute_request"] {
            rig.kernel.publish(
                SignedMessage(
                    "debug_event", session: "k", content: content,
                    parentHeader: SignedMessage(type, session: "c").header))
            #expect(try client.next(on: .iopub, timeout: 15_000) { $0.type == "debug_event" } != nil)
        }
        #expect(rig.relay.pulse.used == before)
    }

    @Test func whatIsPrintedIs() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        for text in ["x", String(repeating: "a long line, ", count: 10)] {
            let before = rig.lastUse()
            rig.kernel.publish(
                SignedMessage(
                    "stream", session: "k", content: "{\"name\": \"stdout\", \"text\": \"\(text)\"}"))
            #expect(rig.waits { $0.used != before })
        }
        withExtendedLifetime(client) {}
    }

    /// Of a kernel that another relay had: it may be at work until it says that it is not, and nobody gets that answer.
    @Test func aQuestionFindsOutWhetherItWorks() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        rig.kernel.pauseReading([.shell])
        let passed = rig.relay.statistics[.shell, .toKernel].messages
        rig.relay.askWhetherItWorks()
        #expect(rig.waits { $0.isWorking })
        #expect(rig.wait { $0[.shell, .toKernel].messages == passed + 1 })
        rig.kernel.pauseReading([])
        #expect(rig.waits { !$0.isWorking })
        #expect(rig.relay.statistics[.shell, .toClient].rejected.isEmpty)
        _ = try client.ask("kernel_info_request", timeout: 15_000)
    }

    @Test func anEndIsSaidBelowTheLastCell() throws {
        var options = RelayOptions()
        options.onEvent = { _ in }
        let rig = try Rig(relay: options)
        defer { rig.end() }
        let client = try rig.client()
        rig.relay.announce("before any")
        let orphan = try #require(try client.next(on: .iopub, timeout: 15_000) { $0.type == "stream" })
        #expect(orphan.parentID.isEmpty && orphan.contentText.contains("before any"))
        let cell = try client.request("execute_request", content: #"{"code": "1"}"#)
        _ = try client.next(on: .shell, timeout: 15_000) { $0.parentID == cell }
        _ = try client.ask("kernel_info_request", timeout: 15_000)
        rig.relay.announce("it ends")
        let told = try #require(
            try client.next(on: .iopub, timeout: 15_000) {
                $0.type == "stream" && $0.contentText.contains("it ends")
            })
        #expect(told.parentID == cell && told.contentText.contains("stderr"))
    }
}
