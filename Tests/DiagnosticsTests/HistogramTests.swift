import KernelRelay
import Testing

@Suite struct HistogramTests {
    /// Every step ends where the next begins, and what lies at a bound falls above it.
    @Test func stepsFollowEachOther() {
        for step in 0..<Histogram.steps - 1 {
            let end = Histogram.end(of: step)
            #expect(Histogram.step(end - 1) == step)
            #expect(Histogram.step(end) == step + 1)
        }
        #expect(Histogram.step(0) == 0)
        #expect(Histogram.step(.max) == Histogram.steps - 1)
    }

    /// From the fourth step on none is wider than a quarter of where it begins.
    @Test func aStepIsNarrow() {
        for step in 4..<Histogram.steps {
            let begin = Histogram.end(of: step - 1)
            #expect(Double(Histogram.end(of: step)) <= Double(begin) * 1.25)
        }
    }

    @Test(arguments: [20_000, 350_000, 12_345_678, 4_000_000_000] as [UInt64])
    func quantilesAreRightToWithinAFifth(_ time: UInt64) throws {
        var histogram = Histogram()
        for _ in 0..<99 { histogram.record(time) }
        histogram.record(time * 10)
        let median = try #require(histogram.quantile(0.5))
        #expect(Double(median) > Double(time) * 0.8 && Double(median) < Double(time) * 1.25)
        let last = try #require(histogram.quantile(1))
        #expect(Double(last) > Double(time) * 8 && Double(last) < Double(time) * 12.5)
        #expect(try #require(histogram.quantile(0.99)) < time * 2)
        #expect(histogram.count == 100)
        #expect(histogram.nanoseconds == time * 109)
    }

    /// Its room is made once, and everything that is recorded goes there.
    @Test func recordingAllocatesNothing() {
        var histogram = Histogram()
        let place = histogram.counts.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
        var time: UInt64 = 1
        for _ in 0..<100_000 {
            histogram.record(time)
            time = time &* 6_364_136_223_846_793_005 &+ 1
        }
        histogram.record(.max)
        #expect(histogram.counts.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } == place)
        #expect(histogram.counts.count == Histogram.steps && histogram.count == 100_001)
    }

    @Test func ofNothingThereIsNoQuantile() {
        #expect(Histogram().quantile(0.5) == nil)
    }

    @Test func sumsHoldBoth() {
        var one = Histogram()
        one.record(100_000)
        var other = Histogram()
        other.record(1_000_000_000)
        other.record(0)
        one.add(other)
        #expect(one.count == 3)
        #expect(one.nanoseconds == 1_000_100_000)
    }
}
