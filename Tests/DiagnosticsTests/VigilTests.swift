import KernelRelay
import Testing

/// Since when somebody has looked without a gap.
@Suite struct VigilTests {
    private let start = ContinuousClock.now

    private func since(_ looks: Duration...) -> Duration {
        var vigil = Vigil(at: start)
        for look in looks { vigil.look(at: start + look) }
        return start.duration(to: vigil.since)
    }

    @Test func aGapBeginsItAnew() {
        #expect(since() == .zero)
        #expect(since(.seconds(1), .seconds(2), .seconds(3)) == .zero)
        #expect(since(.seconds(1), .seconds(3600)) == .seconds(3600))
        #expect(since(.seconds(3600), .seconds(3601), .seconds(3602)) == .seconds(3600))
    }

    /// A gap that is too short to be seen does not make a thread look stuck that went round with its last beat.
    @Test func whatIsNoGapAccusesNobody() {
        #expect(Tuning.lookerIsHeldUp <= Tuning.threadIsLate)
        #expect(Tuning.lookEvery * 4 <= Tuning.lookerIsHeldUp)
    }
}
