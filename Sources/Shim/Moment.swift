import Glibc

/// A point on the monotonic clock, in milliseconds.
package struct Moment: Comparable, Sendable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static var now: Moment {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Moment(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package static func + (moment: Moment, milliseconds: Int64) -> Moment {
        Moment(milliseconds: moment.milliseconds + milliseconds)
    }
    package static func - (one: Moment, other: Moment) -> Int64 { one.milliseconds - other.milliseconds }
    package static func < (one: Moment, other: Moment) -> Bool { one.milliseconds < other.milliseconds }
}

/// What the shim waits for, and for how long.
package enum Patience {
    /// `relayd start` says within this that it listens; an engine has no part in that. Longer than a relayd waits
    /// for the end of the one before it.
    package static let start: Int64 = 20_000
    /// For a launch relayd is started this often, where that fails, with this pause. More would only put off what
    /// a person has to read.
    package static let starts = 2
    package static let startAgain: Int64 = 500
    /// Another shim that starts relayd may take `start`; then it is this one's turn.
    package static let lock: Int64 = 25_000
    /// A file lock has no descriptor to wait on. Short, since a notebook waits; long enough for fifty to wait.
    package static let lockTick: Int64 = 20
    /// A kernel whose relayd was lost is taken up again within this, or not at all. Longer than `lock`.
    package static let resume: Int64 = 60_000
    /// Pauses between tries to take it up, or to launch where a relayd is ending: their number is the number of tries.
    package static let pauses: [Int64] = [0, 100, 500, 2000, 5000]
    /// A relayd that lived this long after it took a kernel up did not die of it.
    package static let steady: Int64 = 10_000
    /// A launch that ended without a word is tried again this often.
    package static let launches = 3
    /// How long the last output may take to be read. A pipe that nobody reads must not keep a dead kernel's
    /// shim, on which a restart waits.
    package static let lastOutput: Int64 = 1000
}
