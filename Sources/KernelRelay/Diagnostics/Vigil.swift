/// Since when somebody has looked without a gap: told of every look.
///
/// A clock goes on while a machine sleeps or relayd is stopped, and whoever wakes first sees everybody else stand still.
package struct Vigil: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package private(set) var since: Instant
    private var last: Instant

    package init(at now: Instant = .now) { (since, last) = (now, now) }

    package mutating func look(at now: Instant = .now) {
        if last.duration(to: now) >= Tuning.lookerIsHeldUp { since = now }
        last = now
    }
}
