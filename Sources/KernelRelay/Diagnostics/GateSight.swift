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
