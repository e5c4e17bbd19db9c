import RelayLink

/// What a `run` needs for kernels: five ports on loopback, the gate, an init that reaps, and labels.
package struct RunFlags: Sendable, Equatable {
    /// A container port that is published, and the channel that it is for.
    package struct Published: Sendable, Equatable {
        package let channel: String
        package let container: UInt16
        package let host: UInt16

        package init(channel: String, container: UInt16, host: UInt16) {
            self.channel = channel
            self.container = container
            self.host = host
        }
    }

    package let ports: [Published]
    private let shim: String

    /// Draws free ports of this host.
    ///
    /// - Parameter byChannel: the container's ports. Several channels may share one: any serves all.
    package static func draw(
        _ byChannel: [String: UInt16], environment: [String: String]
    ) async throws(RelayError) -> RunFlags {
        let binary = try await GateBinary.find(environment)
        return try draw(byChannel, binary)
    }

    static func draw(_ byChannel: [String: UInt16], _ binary: GateBinary) throws(RelayError) -> RunFlags {
        let distinct = Set(byChannel.values).sorted()
        let hosts = Dictionary(uniqueKeysWithValues: zip(distinct, try HostPorts.choose(distinct.count)))
        let ports = byChannel.sorted { $0.key < $1.key }.map {
            Published(channel: $0.key, container: $0.value, host: hosts[$0.value] ?? 0)
        }
        return RunFlags(ports: ports, shim: binary.path)
    }

    package init(ports: [Published], shim: String) {
        self.ports = ports
        self.shim = shim
    }

    private var labels: [(String, String)] {
        let byChannel = Dictionary(ports.map { ($0.channel, $0.container) }) { first, _ in first }
        return [(Labels.ports, Labels.text(byChannel)), (Labels.release, ControlProtocol.release)]
    }

    /// One flag and its value in each element.
    package var flags: [[String]] {
        var seen: Set<UInt16> = []
        let published = ports.filter { seen.insert($0.container).inserted }
        // By --mount, not --volume: that would make a folder where the program is missing, and splits at a colon.
        let mount = ["type=bind", "source=\(shim)", "target=\(GatePath.mount)", "readonly"]
        return [["--init"]]
            + published.map { ["--publish", "127.0.0.1:\($0.host):\($0.container)"] }
            + [["--mount", mount.map(Self.field).joined(separator: ",")]]
            + labels.map { ["--label", "\($0)=\($1)"] }
    }

    /// --mount takes a line of comma-separated values.
    private static func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\n".contains($0) }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
}
