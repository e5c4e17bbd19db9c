import RelayLink

/// What people and second clients are told of a kernel.
extension KernelSession {
    package struct Summary: Sendable {
        package let state: State
        package let container: String
        package let route: KernelRoute?
        package let statistics: RelayStatistics?
    }

    package var summary: Summary {
        .init(state: state, container: container, route: route, statistics: relay?.statistics)
    }

    /// The text of the connection file by which a second client reaches the kernel: the notebook's own.
    package var connectionFile: [UInt8]? { front?.json() }
}
