import Dispatch
import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// What a relay notices of its kernel without being asked.
@Suite struct PulseTests {
    @Test func itBeatsByItselfAndNoticesSilence() throws {
        let rig = try Rig()
        defer { rig.end() }
        // The first comes before any request is let through, the second by itself.
        #expect(rig.waits { $0.beatsAnswered >= 2 && $0.beatSent == nil })
        #expect(rig.relay.pulse.lastBeat != nil)
        #expect(rig.relay.timings.heartbeat.count >= 2)

        rig.kernel.pauseReading([.hb])
        #expect(rig.waits { $0.beatsLost == 1 && $0.beatSent != nil })
        let unanswered = rig.relay.pulse.beatsAnswered
        rig.kernel.pauseReading([])
        // What comes late is an answer all the same, but no measure of the way.
        #expect(rig.waits { $0.beatsAnswered > unanswered && $0.beatSent == nil })
        #expect(rig.relay.timings.heartbeat.count == UInt64(rig.relay.pulse.beatsAnswered - 1))
    }

    @Test func itsBeatsReachNoClient() throws {
        let rig = try Rig()
        defer { rig.end() }
        #expect(rig.waits { $0.beatsAnswered >= 2 })
        let lane = rig.relay.statistics[.hb, .toClient]
        #expect(lane.messages == 0 && lane.rejected.isEmpty)
    }

    @Test func anUnwatchedRelayLetsTheKernelAlone() throws {
        var options = RelayOptions()
        options.isWatched = false
        let rig = try Rig(relay: options)
        defer { rig.end() }
        let client = try rig.client()
        #expect(rig.relay.pulse.turned == nil)
        #expect(rig.relay.pulse.shellReplied == nil)
        #expect(rig.relay.timings.shell.count == 0)
        withExtendedLifetime(client) {}
    }

    /// Control is answered while a cell runs; its idle is not the cell's.
    @Test func busyIsWhatIsNotIdleAgain() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        #expect(rig.waits { $0.busySince == nil })
        let cell = SignedMessage("execute_request", session: "c")
        let control = SignedMessage("debug_request", session: "c")
        rig.publish(state: "busy", of: cell.header)
        #expect(rig.waits { $0.busySince != nil })
        let since = rig.relay.pulse.busySince
        rig.publish(state: "busy", of: control.header)
        rig.publish(state: "idle", of: control.header)
        rig.kernel.publish(SignedMessage("stream", session: "k", content: "{\"text\": \"here\"}"))
        _ = try client.next(on: .iopub, timeout: 15_000) { $0.type == "stream" }
        #expect(rig.relay.pulse.busySince == since)
        rig.publish(state: "idle", of: cell.header)
        #expect(rig.waits { $0.busySince == nil })
    }

    @Test func repliesAreTimed() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let before = rig.relay.timings
        for _ in 0..<3 { _ = try client.ask("some_request", timeout: 15_000) }
        _ = try client.ask("some_request", on: .control, timeout: 15_000)
        #expect(rig.relay.timings.shell.count == before.shell.count + 3)
        #expect(rig.relay.timings.control.count == before.control.count + 1)
        #expect(rig.relay.pulse.shellReplied != nil && rig.relay.pulse.published != nil)
    }

    /// A kernel that reads no cell does not say that it is busy.
    @Test func aCellThatWaitsIsSeen() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        rig.kernel.pauseReading([.shell])
        try client.request("execute_request", content: #"{"code": "1"}"#)
        // What has no reply is not waited for.
        try client.request("comm_msg")
        #expect(rig.waits { $0.waitsSince != nil })
        #expect(rig.relay.pulse.busySince == nil)
        rig.kernel.pauseReading([])
        #expect(rig.waits { $0.waitsSince == nil })
    }

    @Test func aKernelThatIsLostIsNotBusy() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        rig.publish(state: "busy", of: Array("{}".utf8))
        #expect(rig.waits { $0.busySince != nil })
        rig.kernel.stop(abrupt: true)
        #expect(rig.waits { $0.busySince == nil && $0.beatSent == nil })
        withExtendedLifetime(client) {}
    }

    /// What an interrupt has done is done on its thread.
    @Test func aThreadThatIsStuckIsSeen() throws {
        let (held, goOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        var options = RelayOptions()
        options.interrupt = .signal
        options.onInterrupt = {
            held.signal()
            goOn.wait()
        }
        let rig = try Rig(relay: options)
        defer { rig.end() }
        // Before the rig ends, which joins the thread.
        defer { goOn.signal() }
        let client = try rig.client()
        func verdict() -> KernelVerdict {
            var seen = Observation(kernel: "k", facts: LaunchFacts(container: "dev"))
            (seen.pulse, seen.isConnected) = (rig.relay.pulse, rig.relay.isConnected)
            return KernelVerdict(seen)
        }
        #expect(verdict().word == .ok)
        try client.request("interrupt_request", on: .control)
        #expect(held.wait(timeout: .now() + 15) == .success)
        let stuck = ContinuousClock.now
        let deadline = Deadline(milliseconds: 15_000)
        while verdict().code != "KR-RELAY-STUCK", !deadline.passed { usleep(20_000) }
        #expect(verdict().code == "KR-RELAY-STUCK")
        #expect(ContinuousClock.now - stuck > Tuning.threadIsLate)
        goOn.signal()
        let end = Deadline(milliseconds: 15_000)
        while verdict().word != .ok, !end.passed { usleep(20_000) }
        #expect(verdict().word == .ok)
    }

    @Test func theClientThatDoesNotReadIsNamed() throws {
        let rig = try Rig()
        defer { rig.end() }
        let slow = try rig.client(iopubHighWaterMark: 10)
        let asker = try rig.client()
        #expect(rig.hasSubscribers(2))
        try asker.request("storm_request", content: #"{"count": 4000, "size": 20000}"#)
        #expect(rig.waits { $0.heldSince != nil })
        let deadline = Deadline(milliseconds: 15_000)
        while rig.relay.slowClient == nil, !deadline.passed { usleep(20_000) }
        let named = try #require(rig.relay.slowClient)
        #expect(named.channel == .iopub)
        #expect(named.unread > 0)
        #expect(named.address?.hasPrefix("127.0.0.1:") == true)
        #expect(rig.relay.totals.heldBytes > 0)
        slow.close()
        withExtendedLifetime(asker) {}
    }
}
