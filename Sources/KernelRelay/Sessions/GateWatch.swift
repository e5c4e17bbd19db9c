import RelayLink

/// Looks at one gate while kernels are behind it: once a second it asks how their processes are, and when no answer comes
/// it asks the engine why. Nothing is asked of the engine as long as the gate answers, because its link goes through the
/// engine.
///
/// Concurrency: an actor. One question to the gate is under way at a time, so that a container that is paused for an hour
/// has one to answer, and not thousands.
actor GateWatch {
    private let engine: Engine
    private let container: String
    /// Of all gates together.
    private let hops: HopTimes
    private(set) var sight = GateSight()
    private var watching: Task<Void, Never>?
    /// What the engine is asked while the gate is joined again.
    private var question: Task<Void, Never>?

    init(engine: Engine, container: Container, hops: HopTimes) {
        self.hops = hops
        self.engine = engine
        self.container = container.id
        sight.container = .state(container.state)
    }

    /// Watches until the gate has no kernels any more.
    func begin(_ gate: GateSession) {
        guard watching == nil else { return }
        watching = Task { [weak gate] in
            while let gate, await gate.kernelCount > 0 {
                await self.look(at: gate)
                try? await Task.sleep(for: Tuning.watchEvery)
            }
            self.question?.cancel()
            self.watching = nil
            // One may have come after the last look.
            if let gate, await gate.kernelCount > 0 { self.begin(gate) }
        }
    }

    private func look(at gate: GateSession) async {
        guard let link = await gate.presentLink else {
            // Being joined again. The engine is asked with the pauses of a silent gate, and its answer is not waited for: the
            // link may be there before.
            sight.fellSilent(at: .now)
            if question == nil, isEngineDue {
                question = Task {
                    await self.askEngine()
                    self.question = nil
                }
            }
            return
        }
        question?.cancel()
        let asked = ContinuousClock.now
        let alarm = Task {
            try? await Task.sleep(for: Tuning.gateIsSilent)
            while !Task.isCancelled {
                self.sight.fellSilent(at: asked)
                await self.askEngine()
                try? await Task.sleep(for: self.enginePause)
            }
        }
        defer { alarm.cancel() }
        do throws(Refusal) {
            let idle = await gate.idleTime
            let answer = try await link.ask(within: Tuning.watchGivesUp) {
                .vitals(request: $0, idleMilliseconds: idle)
            }
            if case .vitals(_, let vitals) = answer { heard(vitals, asked: asked) }
        } catch {
            // A gate of an earlier release answers that it does not know the question; but it answers.
            guard error.isGate(.messageType) else { return }
            heard(nil, asked: asked)
        }
        questions = 0
    }

    private func heard(_ vitals: GateVitals?, asked: ContinuousClock.Instant) {
        let now = ContinuousClock.now
        sight.heard(vitals, asked: asked, at: now)
        hops.note(.gate, took: asked.duration(to: now))
    }

    /// How often the engine has been asked since the gate fell silent.
    private var questions = 0
    private var lastQuestion = ContinuousClock.now

    private var enginePause: Duration { questions < 5 ? Tuning.watchEvery : Tuning.watchLater }
    private var isEngineDue: Bool { questions == 0 || lastQuestion + enginePause <= .now }

    private func askEngine() async {
        questions += 1
        lastQuestion = .now
        let found: Result<Container.State, RelayError>
        let limit = sight.isUnexplained ? Tuning.watchEngine : Tuning.engineAnswers
        do throws(RelayError) {
            found = .success(try await engine.within(limit).container(container).state)
            let took = lastQuestion.duration(to: .now)
            sight.engineTrips.record(took.nanoseconds)
            hops.note(.engine, took: took)
        } catch {
            found = .failure(error)
        }
        // A question that was given up with its link was killed, and says nothing of the engine; it is asked again.
        if Task.isCancelled {
            questions = 0
            return
        }
        sight.engineSaid(found)
    }
}
