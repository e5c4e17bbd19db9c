/// What an engine knows of one container, in this program's terms.
package struct Container: Sendable, Equatable {
    package enum State: String, Sendable {
        case created, running, paused, restarting, removing, exited, dead
        /// A word that this release does not know; it is not one for running.
        case unknown

        /// What a container in it does, for people.
        package var text: String {
            switch self {
            case .created: "was never started"
            case .running: "runs"
            case .paused: "is paused"
            case .restarting: "is being restarted"
            case .removing: "is being removed"
            case .exited: "has exited"
            case .dead: "is dead"
            case .unknown: "is in a state that is not known here"
            }
        }
    }

    /// An address and a port that answer on this host.
    package struct HostPort: Sendable, Hashable {
        package var address: String
        package var port: UInt16
        /// Published on all interfaces: whoever reaches this host reaches the port.
        package var isEverywhere: Bool

        package init(address: String, port: UInt16, isEverywhere: Bool = false) {
            self.address = address
            self.port = port
            self.isEverywhere = isEverywhere
        }
    }

    /// A folder or file of the host's that the container sees.
    package struct Bind: Sendable, Hashable {
        package var source: String
        package var destination: String

        package init(source: String, destination: String) {
            self.source = source
            self.destination = destination
        }
    }

    package var id: String
    package var name: String
    package var state: State
    /// Of its first process, as this host sees it; 0 if there is none.
    package var pid: Int32
    /// As it was named when the container was made.
    package var image: String
    /// What an exec runs as when no user is named; empty for root.
    package var user: String
    /// The container's own, on bridges.
    package var addresses: [String]
    /// By the container's TCP port.
    package var published: [UInt16: [HostPort]]
    package var binds: [Bind]
    /// Where anything is mounted, of whatever kind.
    package var mounts: [String]
    package var labels: [String: String]
    package var usesHostNetwork: Bool
    package var isRootReadOnly: Bool
    /// Where the gate is mounted, if it is.
    package var gateMount: String?
    /// How it ended last; 0 while it runs for the first time.
    package var exitCode: Int64
    /// What kept it from starting, in the engine's words.
    package var failure: String
    /// In bytes; 0 for none.
    package var memoryLimit: Int64 = 0
    /// Memory and swap together; 0 where nothing was said, -1 for none.
    package var swapLimit: Int64 = 0
    /// Of one that was made for a kernel: what its image, or whoever made it, has commands run through.
    package var entrypoint: [String] = []
}

extension Container {
    package var folders: FolderMap {
        FolderMap(binds.map { .init(outside: $0.source, inside: $0.destination) }, mounts: mounts)
    }
}
