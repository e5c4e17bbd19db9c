import CZMQ

/// Finds out by which of some ways a kernel can be reached: by a handshake of its own, since a TCP connection may end
/// at a proxy behind which nobody listens, or at somebody else's gate.
///
/// A gate completes a handshake only when the kernel behind it listens, so that the answer may take as long as a
/// kernel's start. Nobody listens in the beginning: what is refused is tried again. A probe speaks for the heartbeat,
/// and goes as soon as it is answered: the kernel sees a client that came and left.
///
/// Concurrency: ``run(_:deadline:cancelled:)`` blocks the thread that calls it, on which all its sockets live and die;
/// any descriptor that becomes readable ends it. Nothing is left when it returns.
package final class RouteProbe {
    /// One way to the kernel.
    package struct Candidate: Sendable {
        /// Texts that libzmq connects to. Without a gate: the heartbeat's own.
        package let endpoints: [String]
        /// Set when a gate stands before the kernel.
        package let credentials: GateCredentials?

        package init(endpoints: [String], credentials: GateCredentials? = nil) throws(RelayError) {
            for endpoint in endpoints { try Endpoint.check(endpoint) }
            try credentials?.check()
            self.endpoints = endpoints
            self.credentials = credentials
        }

        /// The way by which a relay is to be connected.
        package init(_ kernel: KernelAddress) throws(RelayError) {
            let endpoints =
                kernel.credentials == nil ? [kernel.endpoint(.hb)] : Array(Set(kernel.endpoints.values))
            try self.init(endpoints: endpoints.sorted(), credentials: kernel.credentials)
        }
    }

    package struct Result: Sendable, Equatable {
        package enum Outcome: Sendable, Equatable {
            /// The candidate's place in the list, and those of its endpoints that answered in time.
            case found(Int, endpoints: [String])
            /// No candidate answered in time, or none ever will.
            case nothing
            case cancelled
        }

        package let outcome: Outcome
        /// Why an endpoint was not taken; only of those that did not answer.
        package let failures: [String: Failure]
    }

    package enum Failure: String, Sendable, Equatable {
        /// A gate that does not know this kernel or this token, or not any more.
        case credentials
        /// Nobody listens.
        case refused
        /// Somebody listens and does not speak ZMTP, or hangs up.
        case hungUp
        /// Somebody may listen, and says nothing.
        case silent
    }

    private struct Trial {
        let candidate: Int
        let index: Int
        let endpoint: String
        let credentials: GateCredentials?
        var port: Port?
        var retry: ContinuousClock.Instant?
        /// When the present attempt began.
        var since = ContinuousClock.now
        /// How the one before it failed.
        var failure = Failure.silent
    }

    private let context: Context
    private let epoll: Epoll
    private var trials: [Trial] = []
    private var choice: RouteChoice
    private var isCancelled = false
    private var rung: Set<Int> = []

    private static let cancellation = UInt64.max

    /// Tries all candidates at once, until the best that answers is known.
    ///
    /// - Parameters:
    ///   - candidates: the best first. Of all their endpoints together `Tuning.mostProbes` are tried, and of each at least
    ///     one.
    ///   - cancelled: a descriptor that ends the search by becoming readable; it is not read from.
    /// - Throws: ``RelayError`` when there are not enough descriptors to look at all.
    package static func run(
        _ candidates: [Candidate], deadline: ContinuousClock.Instant, cancelled: Int32? = nil
    ) throws(RelayError) -> Result {
        let probe = try RouteProbe(candidates)
        if let cancelled { try probe.epoll.add(cancelled, as: cancellation) }
        try probe.search(until: deadline)
        return probe.result
    }

    private init(_ candidates: [Candidate]) throws(RelayError) {
        context = try Context()
        epoll = try Epoll()
        for (place, candidate) in candidates.enumerated() {
            // A container in many networks must not use up the places of the ways that come after.
            let most = Tuning.mostProbes - (candidates.count - 1 - place)
            for (index, endpoint) in candidate.endpoints.enumerated() where trials.count < most {
                trials.append(
                    Trial(
                        candidate: place, index: index, endpoint: endpoint,
                        credentials: candidate.credentials,
                        retry: .now))
            }
        }
        let tried = trials
        choice = RouteChoice(
            endpoints: candidates.indices.map { place in tried.count { $0.candidate == place } })
    }

    private func search(until deadline: ContinuousClock.Instant) throws(RelayError) {
        while true {
            let now = ContinuousClock.now
            if isCancelled || choice.isDecided(now: now) || now >= deadline { return }
            for index in trials.indices {
                if let retry = trials[index].retry, retry <= now { try open(index) }
            }
            let next = trials.compactMap(\.retry).reduce(min(deadline, choice.deadline ?? deadline), min)
            epoll.wait(milliseconds: rung.isEmpty ? next.milliseconds(from: .now) : 0) { number in
                if number == Self.cancellation { isCancelled = true } else { rung.insert(Int(number)) }
            }
            let heard = rung
            rung = []
            for index in heard { hear(index) }
        }
    }

    private func open(_ index: Int) throws(RelayError) {
        trials[index].retry = nil
        let (endpoint, credentials) = (trials[index].endpoint, trials[index].credentials)
        let port = try Port.probe(endpoint, credentials, in: context)
        trials[index].port = port
        trials[index].since = .now
        try epoll.add(port.monitorDescriptor, as: UInt64(index))
        // libzmq rings only once its reader has found it empty.
        rung.insert(index)
    }

    private func hear(_ index: Int) {
        while let event = trials[index].port?.nextEvent() {
            switch event {
            case .accepted: break
            case .handshakeDone: settle(index, .answered)
            case .handshakeFailed(.status(400)): giveUp(index)
            // A refusal that libzmq cannot read. Its other meanings, that the kernel has ended or refuses, are no better;
            // that it is not there yet, a gate says later than libzmq waits for a handshake.
            case .handshakeFailed(.unexpected) where trials[index].credentials != nil: giveUp(index)
            case .handshakeFailed, .disconnected: tryAgain(index, hangUp(index))
            case .refused: tryAgain(index, .refused)
            }
        }
    }

    private func settle(_ index: Int, _ state: RouteChoice.State) {
        let now = ContinuousClock.now
        choice.note(state, trials[index].candidate, trials[index].index, now: now)
        close(index)
        guard state == .answered else { return }
        // The kernel listens: whoever waits to be tried again may answer as well, within the grace.
        for other in trials.indices where trials[other].retry != nil { trials[other].retry = now }
    }

    private func giveUp(_ index: Int) {
        trials[index].failure = .credentials
        settle(index, .never)
    }

    /// A connection that libzmq gave up after a long silence ends like one that was cut.
    private func hangUp(_ index: Int) -> Failure {
        trials[index].since.duration(to: .now) < Tuning.silence ? .hungUp : .silent
    }

    private func tryAgain(_ index: Int, _ failure: Failure) {
        close(index)
        trials[index].failure = failure
        trials[index].retry = .now + Tuning.probeRetry
    }

    private func close(_ index: Int) {
        if let port = trials[index].port { epoll.remove(port.monitorDescriptor) }
        trials[index].port = nil
    }

    private var result: Result {
        var failures: [String: Failure] = [:]
        for trial in trials where choice[trial.candidate, trial.index] != .answered {
            // One that is tried again and again is in the middle of an attempt most of the time.
            let isSilent = trial.port != nil && trial.since.duration(to: .now) > Tuning.routeGrace
            failures[trial.endpoint] = isSilent ? .silent : trial.failure
        }
        let outcome: Result.Outcome =
            if isCancelled {
                .cancelled
            } else if let best = choice.best {
                .found(
                    best.candidate,
                    endpoints: trials.filter {
                        $0.candidate == best.candidate && best.endpoints.contains($0.index)
                    }
                    .map(\.endpoint))
            } else {
                .nothing
            }
        return Result(outcome: outcome, failures: failures)
    }

    /// The sockets before their context, which waits for them.
    deinit { trials = [] }
}
