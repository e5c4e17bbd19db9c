import RelayLink

/// What is known of a gate, of the container that it is in, and of the engine.
package struct GateSight: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum EngineSight: Sendable, Equatable {
        case answers
        case silent(RelayError)
    }

    package enum ContainerSight: Sendable, Equatable {
        case state(Container.State)
        case gone
    }

    package struct Process: Sendable, Equatable {
        package var vitals: GateVitals.Kernel
        /// Of one core, between the last two looks.
        package var cpuShare: Double?
    }

    /// The gate's own process, in the container.
    package var pid: Int32?
    package var engine = EngineSight.answers
    package var container = ContainerSight.state(.running)
    /// Since when the gate has not answered, as far as is known.
    package var silentSince: Instant?
    /// The engine has said since then what the container is.
    package var isContainerKnown = true
    /// Questions to the engine in a row that had no answer.
    private var failures = 0
    /// Its link was lost, and is being made again.
    package var isJoining = false
    package var roundTrip: Duration?
    /// How long the gate's answers took, and the engine's.
    package private(set) var gateTrips = Histogram()
    package var engineTrips = Histogram()
    package var memory: GateVitals.Memory?
    package private(set) var processes: [String: Process] = [:]
    /// When the processes were asked for last, and when the answer came.
    package private(set) var asked: Instant?
    package private(set) var heardAt: Instant?

    package init() {}

    package mutating func fellSilent(at moment: Instant) {
        guard silentSince == nil else { return }
        silentSince = moment
        isContainerKnown = false
        failures = 0
    }

    /// The gate is silent, and nothing has been found out about why: whoever waits is to be told soon.
    package var isUnexplained: Bool { silentSince != nil && !isContainerKnown && engine == .answers }

    /// What the engine answered when it was asked why the gate is silent. One that has told it and does not answer once is
    /// merely slow; what it told holds until it fails again.
    package mutating func engineSaid(_ found: Result<Container.State, RelayError>) {
        // The gate may have answered meanwhile, and knows better.
        guard silentSince != nil else { return }
        switch found {
        case .success(let state): container = .state(state)
        case .failure(let error) where error.code == .containerMissing: container = .gone
        case .failure(let error):
            failures += 1
            if !isContainerKnown || failures > 1 { engine = .silent(error) }
            return
        }
        engine = .answers
        isContainerKnown = true
        failures = 0
    }

    /// The gate has answered. It does so through the engine, out of a container that runs.
    ///
    /// - Parameter vitals: nothing from a gate that does not know them.
    package mutating func heard(_ vitals: GateVitals?, asked: Instant, at now: Instant) {
        silentSince = nil
        isContainerKnown = true
        engine = .answers
        container = .state(.running)
        roundTrip = asked.duration(to: now)
        gateTrips.record(asked.duration(to: now).nanoseconds)
        guard let vitals else { return }
        memory = vitals.memory
        let passed = heardAt.map { $0.duration(to: now).seconds } ?? 0
        heardAt = now
        self.asked = asked
        var present: [String: Process] = [:]
        for kernel in vitals.kernels {
            var process = Process(vitals: kernel)
            if let before = processes[kernel.kernel]?.vitals, before.pid == kernel.pid, passed > 0 {
                let used = Double(max(0, kernel.cpuMilliseconds - before.cpuMilliseconds)) / 1000
                process.cpuShare = used / passed
            }
            present[kernel.kernel] = process
        }
        processes = present
    }
}
