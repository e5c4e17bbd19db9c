import Glibc

/// A point on the monotonic clock, in nanoseconds.
package struct Moment: Comparable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static var now: Moment {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Moment(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    package static func + (moment: Moment, duration: Duration) -> Moment {
        Moment(nanoseconds: moment.nanoseconds &+ UInt64(max(0, duration.nanoseconds)))
    }

    package static func < (one: Moment, other: Moment) -> Bool { one.nanoseconds < other.nanoseconds }

    /// Milliseconds from `now` to here, rounded up and never negative: what a wait call takes.
    package func milliseconds(from now: Moment) -> Int32 {
        now >= self ? 0 : Int32(clamping: (nanoseconds - now.nanoseconds + 999_999) / 1_000_000)
    }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
