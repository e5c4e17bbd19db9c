import Glibc

/// How a kernel's tree comes to its end: asked first, made to in the end, and looked at until nothing is left.
///
/// A value that is told what happened and returns what is to be done; it knows no process and no clock.
package struct Teardown: Sendable {
    package enum Action: Equatable, Sendable {
        /// Send it to every process of the tree.
        case signal(Int32)
        /// Count the living, and call `saw`, after so long.
        case look(after: Duration)
        /// It is over; this many are left, where that can be known.
        case finished(left: Int64?)
    }

    private enum State {
        case running
        /// SIGTERM has gone out, or goes to whatever the next look finds; SIGKILL follows at the time.
        case asked(killAt: Moment, isSent: Bool)
        case killed(giveUpAt: Moment)
        case over
    }

    private var state = State.running
    private var leaderIsAlive = true

    package init() {}

    package var hasBegun: Bool { if case .running = state { false } else { true } }
    package var isOver: Bool { if case .over = state { true } else { false } }
    /// SIGKILL has been sent from here.
    package var hasKilled: Bool { if case .killed = state { true } else { false } }

    /// Somebody wants it to end. Asked again, the shorter grace counts.
    package mutating func begin(grace: Duration, now: Moment) -> [Action] {
        switch state {
        case .running:
            state = .asked(killAt: now + grace, isSent: true)
            return [.signal(SIGTERM), .look(after: grace == .zero ? .zero : Tuning.treeLook)]
        case .asked(let killAt, let isSent):
            state = .asked(killAt: min(killAt, now + grace), isSent: isSent)
            return []
        case .killed, .over: return []
        }
    }

    /// The kernel itself has ended. What it left behind has no reason to take long.
    package mutating func leaderExited(now: Moment) -> [Action] {
        leaderIsAlive = false
        switch state {
        case .running:
            state = .asked(killAt: now + Tuning.orphanGrace, isSent: false)
            // Most leave nothing, and this look is all that it takes.
            return [.look(after: .zero)]
        case .asked(let killAt, let isSent):
            state = .asked(killAt: min(killAt, now + Tuning.orphanGrace), isSent: isSent)
            return []
        case .killed, .over: return []
        }
    }

    /// What a look found; nothing where it could not see.
    package mutating func saw(living: Int?, now: Moment) -> [Action] {
        switch state {
        case .running, .over: return []
        case .asked(let killAt, let isSent):
            if isEmpty(living) { return finish(living) }
            if now >= killAt {
                state = .killed(giveUpAt: now + Tuning.treeLimit)
                return [.signal(SIGKILL), .look(after: .milliseconds(1))]
            }
            state = .asked(killAt: killAt, isSent: true)
            return (isSent ? [] : [.signal(SIGTERM)]) + [.look(after: Tuning.treeLook)]
        case .killed(let giveUpAt):
            if isEmpty(living) { return finish(living) }
            // The leader's status is still to come, or a process hangs inside the system.
            if now >= giveUpAt { return finish(living) }
            // Again: a process may have forked while the first signals were being sent.
            return [.signal(SIGKILL), .look(after: Tuning.treeLook)]
        }
    }

    private func isEmpty(_ living: Int?) -> Bool { !leaderIsAlive && (living ?? 0) == 0 }

    private mutating func finish(_ living: Int?) -> [Action] {
        state = .over
        return [.finished(left: living.map { Int64($0) })]
    }
}
