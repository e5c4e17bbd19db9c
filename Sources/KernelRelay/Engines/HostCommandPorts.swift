import RelayLink
import Synchronization

/// The ports of a command that is run on this host: where its kernel is told to listen, and where the kernel is
/// looked for.
///
/// Nobody can know whether a command starts a kernel here, or in some container whose ports it maps. So the kernel is
/// told the inside's ports and looked for in both places: at the ports that were drawn for the mapping, and at those
/// where it listens, if nobody else did before.
package struct HostCommandPorts: Sendable, Equatable {
    /// `JUPYTER_SHELL_PORT` and so on.
    package let inside: [String: UInt16]
    /// `JUPYTER_SHELL_PORT_HOST` and so on.
    package let outside: [String: UInt16]
    /// Where it is looked for, the best first.
    package let ways: [[String: UInt16]]

    package init(inside: [String: UInt16], outside: [String: UInt16], ways: [[String: UInt16]]) {
        self.inside = inside
        self.outside = outside
        self.ways = ways
    }

    /// Ports of kernels that may listen on this host, and those that were drawn for a mapping which nobody has bound yet,
    /// by kernel: two that start at once must not be told the same.
    private static let held = Mutex<[String: Set<UInt16>]>([:])

    /// - Parameter wanted: the inside's ports. The usual ones give way where something on this host has one of them:
    ///   then both sides have the same, which suits either kind of command.
    package static func draw(_ wanted: [String: UInt16], for kernel: String) throws(RelayError) -> Self {
        let channels = wanted.keys.sorted()
        let ports = Set(wanted.values)
        return try held.withLock { held throws(RelayError) in
            let others = held.values.reduce(into: Set()) { $0.formUnion($1) }
            let free = try HostPorts.choose(channels.count, besides: others.union(ports))
            held[kernel] = Set(free)
            let outside = Dictionary(uniqueKeysWithValues: zip(channels, free))
            if ports.count == channels.count, others.isDisjoint(with: ports),
                ports.allSatisfy(HostPorts.isFree)
            {
                held[kernel]?.formUnion(ports)
                return .init(inside: wanted, outside: outside, ways: [outside, wanted])
            }
            let inside = wanted == StandardPorts.byChannel ? outside : wanted
            return .init(inside: inside, outside: outside, ways: [outside])
        }
    }

    /// The kernel has ended, or has turned out to be behind ports that are mapped, and so bound: where it listens
    /// nobody shares its ports.
    package static func release(_ kernel: String) { held.withLock { $0[kernel] = nil } }

    /// What the command is told of them.
    package var variables: [String: String] {
        var variables: [String: String] = [:]
        for (channel, port) in inside { variables["JUPYTER_\(channel.uppercased())_PORT"] = String(port) }
        for (channel, port) in outside {
            variables["JUPYTER_\(channel.uppercased())_PORT_HOST"] = String(port)
        }
        return variables
    }
}
