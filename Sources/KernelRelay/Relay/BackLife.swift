/// The life of the five connections to a kernel, as a value: events in, actions out.
///
/// The five are one unit. They are made together, with one routing id that no other attempt ever used, they
/// admit requests when the last of them has finished its handshake, and when one of them is lost all are
/// replaced: a kernel that came back must not get what was queued for the one before, and its ROUTER would
/// silently refuse an id that it still knows. Before they are replaced the relay hears them out. A kernel that is to
/// be looked for elsewhere from now on is parted from in the same way.
///
///     unknown ──named──▶ closed
///     closed ──time──▶ opening ──five handshakes──▶ up ──one lost──▶ ending ──all heard──▶ closed
///                         └─────────one refused or lost─────────────────┘
///
/// From anywhere `gone` leads back to unknown, by way of ending where something may still be heard.
package struct BackLife {
    package typealias Instant = ContinuousClock.Instant

    package enum Phase: Equatable {
        /// Nobody has said where the kernel is.
        case unknown
        case closed(until: Instant)
        case opening
        case up
        /// What has come is still handed on; no later than `until` after the last of it.
        case ending(until: Instant)
    }

    package enum Event {
        /// The kernel's place was said: for the first time, or another one.
        case named
        /// There is no kernel any more, and nobody knows of another.
        case gone
        case handshakeDone(Channel)
        case lost(Channel)
        case refused(Channel)
    }

    package enum Action: Equatable {
        /// Make five new sockets and connect them.
        case open
        /// Requests may pass.
        case admit
        /// Requests may pass no more; those on their way were meant for the kernel that has gone.
        case shut
        /// Close the five sockets.
        case close
    }

    package private(set) var phase: Phase
    private var answered: Set<Channel> = []
    private var gone: Set<Channel> = []
    private var wait = Tuning.firstRetry
    /// Set when a kernel is parted from that may be alive: it is heard no longer than until then.
    private var heardBy: Instant?
    /// Whether it is to be looked for.
    private var isKnown: Bool

    /// Whether a kernel that has gone is still being heard out. What it can still say has an end, unlike what one may
    /// say that is parted from and lives on.
    package var isEnding: Bool {
        if case .ending = phase { heardBy == nil } else { false }
    }

    /// - Parameter isKnown: whether it was said where the kernel is.
    package init(now: Instant, isKnown: Bool = true) {
        self.isKnown = isKnown
        phase = isKnown ? .closed(until: now) : .unknown
    }

    /// When ``step(now:isDry:)`` wants to be called even if nothing happens.
    package var deadline: Instant? {
        switch phase {
        case .closed(let until), .ending(let until): until
        case .unknown, .opening, .up: nil
        }
    }

    /// Whether any connection may still have something to say.
    package var mayHear: Bool {
        switch phase {
        case .unknown, .closed: false
        case .opening: !answered.isEmpty
        case .up: true
        case .ending: true
        }
    }

    package mutating func handle(_ event: Event, now: Instant) -> [Action] {
        switch (phase, event) {
        case (.opening, .handshakeDone(let channel)):
            answered.insert(channel)
            guard answered.count == Channel.allCases.count else { return [] }
            phase = .up
            wait = Tuning.firstRetry
            return [.admit]
        case (.opening, .lost(let channel)), (.opening, .refused(let channel)):
            // A kernel that binds its sockets one by one is met half-way. What it may have said on those
            // that answered, if any, is heard before the next attempt.
            gone.insert(channel)
            if answered.isEmpty { return shutDown(now) }
            phase = .ending(until: now + Tuning.afterLoss)
            return []
        case (.up, .lost(let channel)):
            gone.insert(channel)
            phase = .ending(until: now + patience)
            return [.shut]
        case (.ending, .lost(let channel)), (.ending, .refused(let channel)):
            gone.insert(channel)
            phase = .ending(until: now + patience)
            return []
        case (_, .named):
            isKnown = true
            return part(now)
        case (_, .gone):
            isKnown = false
            return part(now)
        default:
            return []
        }
    }

    /// The kernel is elsewhere, or nowhere. There is no reason to wait before it is looked for there.
    private mutating func part(_ now: Instant) -> [Action] {
        wait = Tuning.firstRetry
        switch phase {
        case .unknown, .closed:
            phase = isKnown ? .closed(until: now) : .unknown
            return []
        case .opening where answered.isEmpty:
            return shutDown(now)
        case .opening, .up, .ending:
            let actions: [Action] = phase == .up ? [.shut] : []
            heardBy = now + Tuning.partingAtMost
            phase = .ending(until: now + patience)
            return actions
        }
    }

    /// What is due by now.
    ///
    /// - Parameter isDry: the relay has taken all that the five connections brought so far.
    package mutating func step(now: Instant, isDry: Bool) -> [Action] {
        switch phase {
        case .closed(let until) where now >= until:
            phase = .opening
            answered = []
            gone = []
            heardBy = nil
            return [.open]
        case .ending(let until):
            if let heardBy, now >= heardBy { return shutDown(now) }
            if !isDry {
                phase = .ending(until: max(until, now + patience))
                return []
            }
            return now >= until ? shutDown(now) : []
        default:
            return []
        }
    }

    /// How long to listen on: those that are not lost may still speak, those that are only for as long as
    /// libzmq may take to hand over what they brought.
    private var patience: Duration {
        if answered.isSubset(of: gone) { return Tuning.afterLoss }
        return heardBy == nil ? Tuning.lastWords : Tuning.partingSilence
    }

    private mutating func shutDown(_ now: Instant) -> [Action] {
        phase = isKnown ? .closed(until: now + wait) : .unknown
        wait = min(wait + wait / 8, Tuning.longestRetry)
        return [.close]
    }
}
