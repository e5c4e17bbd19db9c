import RelayLink
import Testing

/// When something with a limit is told of its end, and when it comes.
@Suite struct LifespanTests {
    private static let minute: Int64 = 60_000

    @Test func whatIsNotUsedIsToldAndEnds() {
        var life = Lifespan(Lifetimes(idle: 30 * Self.minute), began: 0, now: 0)
        #expect(life.step(at: 0, lastUse: 0) == .rest(until: 25 * Self.minute))
        #expect(life.step(at: 10 * Self.minute, lastUse: 5 * Self.minute) == .rest(until: 30 * Self.minute))
        #expect(
            life.step(at: 30 * Self.minute, lastUse: 5 * Self.minute) == .warn(.idle, left: 5 * Self.minute))
        #expect(life.step(at: 30 * Self.minute, lastUse: 5 * Self.minute) == .rest(until: 35 * Self.minute))
        #expect(life.step(at: 35 * Self.minute, lastUse: 5 * Self.minute) == .end(.idle))
    }

    @Test func useAfterTheWarningPutsItOffAndItIsToldAgain() {
        var life = Lifespan(Lifetimes(idle: 8000), began: 0, now: 0)
        #expect(life.step(at: 4000, lastUse: 0) == .warn(.idle, left: 4000))
        #expect(life.step(at: 8000, lastUse: 7000) == .rest(until: 11_000))
        #expect(life.step(at: 11_000, lastUse: 7000) == .warn(.idle, left: 4000))
        #expect(life.step(at: 15_000, lastUse: 7000) == .end(.idle))
    }

    /// A cell that runs: the last use is always now.
    @Test func whatIsUsedAllTheTimeDoesNotEnd() {
        var life = Lifespan(Lifetimes(idle: 2000), began: 0, now: 0)
        for moment in stride(from: Int64(0), to: 100_000, by: 900) {
            #expect(life.step(at: moment, lastUse: moment) == .rest(until: moment + 1000))
        }
    }

    @Test func useDoesNotHelpAgainstALifetime() {
        var life = Lifespan(Lifetimes(idle: 10_000, most: 20_000), began: 1000, now: 6000)
        #expect(life.step(at: 10_000, lastUse: 10_000) == .rest(until: 11_000))
        #expect(life.step(at: 11_000, lastUse: 11_000) == .warn(.lifetime, left: 10_000))
        #expect(life.step(at: 20_999, lastUse: 20_999) == .rest(until: 21_000))
        #expect(life.step(at: 21_000, lastUse: 21_000) == .end(.lifetime))
    }

    private static let leads: [(Int64, Int64)] = [
        (1000, 500), (599_000, 299_500), (600_000, 300_000), (86_400_000, 300_000),
    ]

    @Test(arguments: leads)
    func itIsSaidFiveMinutesBeforeOrAtHalfOfIt(length: Int64, lead: Int64) {
        for lifetimes in [Lifetimes(idle: length), Lifetimes(most: length)] {
            var life = Lifespan(lifetimes, began: 0, now: 0)
            #expect(life.step(at: 0, lastUse: 0) == .rest(until: length - lead))
        }
    }

    /// A machine that slept, or a relayd that was not there: nothing ends that was not told.
    @Test func anEndThatWasMissedIsToldFirst() {
        for lifetimes in [Lifetimes(idle: 20_000), Lifetimes(most: 20_000)] {
            var life = Lifespan(lifetimes, began: 0, now: 0)
            let limit: LifetimeLimit = lifetimes.idle == nil ? .lifetime : .idle
            #expect(life.step(at: 50_000, lastUse: 0) == .warn(limit, left: 10_000))
            #expect(life.step(at: 59_999, lastUse: 0) == .rest(until: 60_000))
            #expect(life.step(at: 60_000, lastUse: 0) == .end(limit))
        }
        // One that is nearly over when it is first looked at is told what is left.
        var late = Lifespan(Lifetimes(most: 20_000), began: 0, now: 19_000)
        #expect(late.step(at: 19_000, lastUse: 19_000) == .warn(.lifetime, left: 1000))
    }
}
