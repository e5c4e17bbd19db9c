/// Which of some ways to a kernel is taken, as a value: what each endpoint said comes in, the choice comes out.
///
/// Candidates come in order of preference. The best that answers is taken, but nobody waits long for a better one
/// once another has answered: each gets a short grace from then on, and so do the other endpoints of the best.
package struct RouteChoice {
    package typealias Instant = ContinuousClock.Instant

    /// What is known of one endpoint.
    package enum State: Equatable, Sendable {
        /// Nothing so far: nobody listens, or who does says nothing.
        case open
        /// A ZMTP peer shook hands.
        case answered
        /// A gate that does not know the kernel or the token: some other kernel's.
        case never
    }

    private var states: [[State]]
    private var graceEnds: Instant?

    /// - Parameter endpoints: how many each candidate has.
    package init(endpoints: [Int]) { states = endpoints.map { Array(repeating: .open, count: $0) } }

    package subscript(candidate: Int, endpoint: Int) -> State { states[candidate][endpoint] }

    package mutating func note(_ state: State, _ candidate: Int, _ endpoint: Int, now: Instant) {
        guard states[candidate][endpoint] == .open else { return }
        states[candidate][endpoint] = state
        if state == .answered, graceEnds == nil { graceEnds = now + Tuning.routeGrace }
    }

    /// The best candidate that has answered, and which of its endpoints have.
    package var best: (candidate: Int, endpoints: [Int])? {
        guard let candidate = states.firstIndex(where: { $0.contains(.answered) }) else { return nil }
        return (candidate, states[candidate].indices.filter { states[candidate][$0] == .answered })
    }

    /// When the best is taken, whatever the others may still say.
    package var deadline: Instant? { graceEnds }

    /// Whether nothing better can come, or the time for it is over.
    package func isDecided(now: Instant) -> Bool {
        if let graceEnds, now >= graceEnds { return true }
        let rivals = best.map { states[...$0.candidate] } ?? states[...]
        return !rivals.joined().contains(.open)
    }
}
