import Glibc

/// How long something may be there, in milliseconds: without being used, and altogether. Nothing is for ever.
package struct Lifetimes: Sendable, Equatable {
    package var idle: Int64?
    package var most: Int64?

    package init(idle: Int64? = nil, most: Int64? = nil) {
        self.idle = idle
        self.most = most
    }

    package var areEndless: Bool { idle == nil && most == nil }

    /// A second to a year: a shorter one is no time to do anything in, a longer one is none that anybody waits for.
    package static let range: ClosedRange<Int64> = 1000...366 * 86_400_000

    /// An end is said so long before it comes: time enough to save what matters. Of what lives shorter than twice as
    /// long it is said at half of its time.
    package static let saidBefore: Int64 = 300_000
}

/// What ended something, or will.
package enum LifetimeLimit: String, Sendable, CaseIterable {
    /// Nobody has used it for so long.
    case idle
    /// It has been there for so long.
    case lifetime
}

/// The life of something that has a limit, as a value: told the time and when it was used last, it says what is to be
/// done. Times are milliseconds of one clock.
package struct Lifespan: Sendable {
    package enum Step: Sendable, Equatable {
        /// Nothing is to be done before.
        case rest(until: Int64)
        /// To be said: it ends for this reason in so many milliseconds, unless it is used where that helps.
        case warn(LifetimeLimit, left: Int64)
        case end(LifetimeLimit)
    }

    private struct Limit: Sendable {
        let reason: LifetimeLimit
        let length: Int64
        /// When it ends, once that has been said.
        var said: Int64?

        var lead: Int64 { min(Lifetimes.saidBefore, length / 2) }
    }

    private var limits: [Limit]
    private let began: Int64
    private var used: Int64

    package init(_ lifetimes: Lifetimes, began: Int64, now: Int64) {
        // Of two ends at one moment the one that nothing helps against is told.
        limits =
            (lifetimes.most.map { [Limit(reason: .lifetime, length: $0)] } ?? [])
            + (lifetimes.idle.map { [Limit(reason: .idle, length: $0)] } ?? [])
        self.began = began
        used = now
    }

    /// - Parameter lastUse: `now` while it is being used.
    package mutating func step(at now: Int64, lastUse: Int64) -> Step {
        if lastUse > used {
            used = lastUse
            for index in limits.indices where limits[index].reason == .idle { limits[index].said = nil }
        }
        var next = Int64.max
        for index in limits.indices {
            let limit = limits[index]
            let due = limit.said ?? (limit.reason == .idle ? used : began) + limit.length
            if limit.said != nil {
                if now >= due { return .end(limit.reason) }
                next = min(next, due)
            } else if now >= due - limit.lead {
                // What slept through its end, or was paused, is told of it all the same.
                let left = now < due ? due - now : limit.lead
                limits[index].said = now + left
                return .warn(limit.reason, left: left)
            } else {
                next = min(next, due - limit.lead)
            }
        }
        return .rest(until: next)
    }
}

/// The clock that goes on while the machine sleeps, in milliseconds since it started: the same for all its processes.
package enum BootClock {
    package static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
