/// How far one attempt to launch has come, and how long each step of it took.
package struct LaunchPhases: Sendable, Equatable {
    package enum Name: String, Sendable, CaseIterable {
        case bind
        /// Of a container for this kernel alone.
        case make
        case inspect, gate, spawn, route, connect
    }

    package struct Phase: Sendable, Equatable {
        package let name: Name
        package let duration: Duration
    }

    /// Those that are over, in order.
    package private(set) var done: [Phase] = []
    /// What is being done, and since when.
    package private(set) var current: Name?
    private var since: ContinuousClock.Instant?

    package init() {}

    /// Ends the phase before.
    package mutating func begin(_ name: Name, at now: ContinuousClock.Instant = .now) {
        end(at: now)
        (current, since) = (name, now)
    }

    package mutating func end(at now: ContinuousClock.Instant = .now) {
        if let current, let since { done.append(.init(name: current, duration: since.duration(to: now))) }
        (current, since) = (nil, nil)
    }

    /// Of a launch that is over; nothing before.
    package var total: Duration? {
        done.last?.name == .connect ? done.reduce(.zero) { $0 + $1.duration } : nil
    }

    /// For people, a line for each.
    package var lines: [String] {
        done.map { phase in
            let milliseconds = Int((phase.duration / .milliseconds(1)).rounded())
            return "\(phase.name.rawValue): done in \(milliseconds) ms"
        } + (current.map { ["\($0.rawValue): not done"] } ?? [])
    }
}

extension Tally {
    init(_ phases: LaunchPhases) {
        self.init()
        for phase in phases.done { note(phase: phase.name.rawValue, took: phase.duration) }
    }
}
