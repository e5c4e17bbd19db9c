import Host
import RelayLink

/// `--control`, `--hb`, `--iopub`, `--shell` and `--stdin`: the container's ports, by channel.
enum PortOptions {
    static let names = Set(Channel.allCases.map { "--\($0.rawValue)" })
    static let usage = """
          --control PORT, --hb PORT, --iopub PORT, --shell PORT, --stdin PORT
                          the container's ports, instead of 10000 to 10004; several may be the same
        """

    /// Nothing where none was given.
    static func chosen(_ arguments: inout Arguments) throws(HostError) -> [String: UInt16] {
        var ports: [String: UInt16] = [:]
        for channel in Channel.allCases {
            guard let text = try arguments.value("--\(channel.rawValue)") else { continue }
            guard let port = UInt16(text), port > 0 else {
                throw HostError(.usage, "--\(channel.rawValue) takes a port from 1 to 65535")
            }
            ports[channel.rawValue] = port
        }
        return ports
    }

    static func read(_ arguments: inout Arguments) throws(HostError) -> [String: UInt16] {
        StandardPorts.byChannel.merging(try chosen(&arguments)) { $1 }
    }
}
