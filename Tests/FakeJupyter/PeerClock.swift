import Glibc

/// A point on the monotonic clock by which a wait must end.
package struct Deadline: Sendable {
    private let end: UInt64

    package init(milliseconds: Int) {
        end = Deadline.now() + UInt64(max(0, milliseconds)) * 1_000_000
    }

    /// What is left, rounded up, so that a poll does not spin through the last millisecond.
    package var milliseconds: Int {
        let now = Deadline.now()
        return now >= end ? 0 : Int((end - now + 999_999) / 1_000_000)
    }

    package var passed: Bool { Deadline.now() >= end }

    /// Monotonic nanoseconds.
    package static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
