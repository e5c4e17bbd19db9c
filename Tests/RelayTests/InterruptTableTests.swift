import KernelRelay
import Testing

/// Who answers which interrupt, step by step: no clock, no socket, no kernel.
@Suite struct InterruptTableTests {
    private let now = ContinuousClock.now

    private func request(_ id: String, _ channel: Channel = .control) -> InterruptTable.Request {
        InterruptTable.Request(id: id, channel: channel)
    }

    @Test func theKernelAnswersInTime() {
        var table = InterruptTable(.auto)
        #expect(!table.awaitsAnswer && table.deadline == nil)
        #expect(table.ask(request("1"), now: now) == .passOn)
        #expect(table.awaitsAnswer)
        #expect(table.deadline == now + Tuning.interruptReply)
        #expect(table.answer(to: "another") == .passOn)
        #expect(table.answer(to: "1") == .passOn)
        #expect(!table.awaitsAnswer && table.deadline == nil)
        #expect(table.collect(now: now + .seconds(60)).isEmpty)
    }

    @Test func theKernelAnswersLate() {
        var table = InterruptTable(.auto)
        #expect(table.ask(request("1"), now: now) == .passOn)
        #expect(table.ask(request("2"), now: now + .milliseconds(900)) == .passOn)
        #expect(table.collect(now: now + .milliseconds(999)).isEmpty)
        // One signal serves both.
        #expect(table.collect(now: now + Tuning.interruptReply).map(\.id) == ["1", "2"])
        #expect(table.deadline == nil)
        #expect(table.answer(to: "2") == .drop)
        #expect(table.answer(to: "1") == .drop)
        #expect(!table.awaitsAnswer)
    }

    @Test func shellAndSignalAreTakenAtOnce() {
        var auto = InterruptTable(.auto)
        #expect(auto.ask(request("1", .shell), now: now) == .take)
        var signal = InterruptTable(.signal)
        #expect(signal.ask(request("1", .shell), now: now) == .take)
        #expect(signal.ask(request("2", .control), now: now) == .take)
        #expect(signal.hasTaken)
        #expect(signal.collect(now: now).map(\.id) == ["1", "2"])
        #expect(!signal.hasTaken && signal.collect(now: now).isEmpty)
    }

    @Test func messageGoesToControlAndComesBack() {
        var table = InterruptTable(.message)
        #expect(table.ask(request("1", .control), now: now) == .passOn)
        #expect(table.ask(request("2", .shell), now: now) == .toControl)
        #expect(table.deadline == nil)
        #expect(table.answer(to: "1") == .passOn)
        #expect(table.answer(to: "2") == .to(.shell))
        #expect(table.answer(to: "2") == .passOn)
    }

    /// What does not fit has one answer all the same.
    @Test func hasAnEnd() {
        var table = InterruptTable(.auto)
        for number in 0..<Tuning.mostInterrupts {
            #expect(table.ask(request("\(number)"), now: now) == .passOn)
        }
        #expect(table.ask(request("one more"), now: now) == .take)
        #expect(table.collect(now: now + Tuning.interruptReply).count == Tuning.mostInterrupts + 1)
        // Answered, and still remembered.
        #expect(table.ask(request("one more"), now: now) == .take)
        #expect(table.answer(to: "3") == .drop)
        #expect(table.ask(request("another"), now: now) == .passOn)
        var message = InterruptTable(.message)
        for number in 0..<Tuning.mostInterrupts {
            #expect(message.ask(request("\(number)", .shell), now: now) == .toControl)
        }
        #expect(message.ask(request("one more", .shell), now: now) == .passOn)
    }

    @Test func anIDThatIsKnownIsNotPassedOnAgain() {
        var table = InterruptTable(.auto)
        #expect(table.ask(request("1"), now: now) == .passOn)
        #expect(table.ask(request("1"), now: now) == .take)
    }

    @Test func aLostKernelIsNotSignalled() {
        var table = InterruptTable(.auto)
        _ = table.ask(request("1"), now: now)
        _ = table.collect(now: now + Tuning.interruptReply)
        _ = table.ask(request("2"), now: now + Tuning.interruptReply)
        table.standDown()
        #expect(table.collect(now: now + .seconds(60)).isEmpty)
        // What it says last is still told apart.
        #expect(table.answer(to: "1") == .drop)
        #expect(table.answer(to: "2") == .passOn)
        table.forget()
        #expect(!table.awaitsAnswer)
    }
}
