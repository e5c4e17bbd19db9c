import RelayLink

/// What people and second clients are told of a kernel.
extension KernelSession {
    package struct Summary: Sendable {
        package let state: State
        package let container: String
        package let user: String?
        package let containerID: String?
        package let route: KernelRoute?
        package let isOnAllInterfaces: Bool
        package let statistics: RelayStatistics?
        package let timings: RelayTimings?
        package let phases: LaunchPhases
        package let isResumed: Bool
    }

    package var summary: Summary {
        .init(
            state: state, container: container, user: asked.user,
            containerID: gate.flatMap { $0.container.isHost ? nil : $0.container.id }, route: route,
            isOnAllInterfaces: isOnAllInterfaces, statistics: statistics, timings: relay?.timings,
            phases: phases, isResumed: isResumed)
    }

    package var statistics: RelayStatistics? { relay?.statistics }

    /// What it has added up so far, also when its relay has stopped.
    package var tally: Tally {
        var tally = past
        if let relay = relay ?? parting { tally.add(Tally(relay)) }
        tally.add(Tally(phases))
        return tally
    }

    /// The text of the connection file by which a second client reaches the kernel: the notebook's own.
    package var connectionFile: [UInt8]? { front?.json() }
}
