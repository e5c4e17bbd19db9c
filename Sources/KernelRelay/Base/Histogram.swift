/// How often something took how long, in fixed steps: four to each doubling, from 16 µs to over a minute. A figure read
/// from it is right to within a fifth, whatever it is.
package struct Histogram: Sendable, Equatable {
    /// How many fell into each step.
    package private(set) var counts: [UInt64]
    package private(set) var nanoseconds: UInt64

    /// Steps of 2^14 ns up to the fourth, then four to each doubling; what is longer falls into the last.
    package static let steps = 88
    private static let unit: UInt64 = 14

    package init() { self.init(counts: [UInt64](repeating: 0, count: Self.steps), nanoseconds: 0) }

    package init(counts: [UInt64], nanoseconds: UInt64) {
        self.counts = counts
        self.nanoseconds = nanoseconds
    }

    /// The step that a time falls into.
    @inline(__always)
    package static func step(_ nanoseconds: UInt64) -> Int {
        let units = nanoseconds >> unit
        if units < 4 { return Int(units) }
        let exponent = 63 - units.leadingZeroBitCount
        return min(steps - 1, (exponent - 1) * 4 + Int(units >> UInt64(exponent - 2) & 3))
    }

    /// Where a step ends, in nanoseconds; the next begins there.
    package static func end(of step: Int) -> UInt64 {
        let next = step + 1
        if next < 4 { return UInt64(next) << unit }
        return UInt64(4 + next % 4) << (UInt64(next / 4 - 1) + unit)
    }

    package mutating func record(_ nanoseconds: UInt64) {
        counts[Self.step(nanoseconds)] += 1
        self.nanoseconds &+= nanoseconds
    }

    package mutating func add(_ other: Histogram) {
        for step in counts.indices { counts[step] += other.counts[step] }
        nanoseconds &+= other.nanoseconds
    }

    package var count: UInt64 { counts.reduce(0, +) }

    /// The time that a share of all stayed below, in nanoseconds; nothing when nothing was counted.
    package func quantile(_ share: Double) -> UInt64? {
        let count = count
        if count == 0 { return nil }
        var left = Swift.max(1, (Double(count) * share).rounded(.up))
        for (step, found) in counts.enumerated() where found > 0 {
            if left <= Double(found) {
                let begin = step == 0 ? 0 : Self.end(of: step - 1)
                return begin + UInt64(Double(Self.end(of: step) - begin) * left / Double(found))
            }
            left -= Double(found)
        }
        return Self.end(of: Self.steps - 1)
    }
}
