import Host
import RelayLink

/// How an engine is reached: its own client, so that contexts, DOCKER_HOST, ssh and TLS come free.
package struct EngineClient: Sendable, Hashable {
    /// The program and the words before every command of it, as in `sudo docker`.
    package var command: [String]
    /// The client's whole environment.
    package var environment: [String: String]

    package init(command: [String] = ["docker"], environment: [String: String]) {
        self.command = command
        self.environment = environment
    }

    /// As it stands behind `--docker`.
    package init(_ text: String?, environment: [String: String]) throws(HostError) {
        guard let text else {
            self.init(environment: environment)
            return
        }
        self.init(command: try CommandWords.read(text), environment: environment)
    }

    /// The host of a remote engine, on which its published ports are; nothing for one on this host.
    var remoteHost: String? {
        guard let host = environment["DOCKER_HOST"], let scheme = host.firstRange(of: "://") else {
            return nil
        }
        guard ["tcp", "ssh", "http", "https"].contains(host[..<scheme.lowerBound]) else { return nil }
        var name = host[scheme.upperBound...].prefix { $0 != "/" }
        if let at = name.lastIndex(of: "@") { name = name[name.index(after: at)...] }
        if name.hasPrefix("[") {
            return name.dropFirst().firstIndex(of: "]").map { String(name[..<$0].dropFirst()) }
        }
        name = name.prefix { $0 != ":" }
        return name.isEmpty || name == "localhost" || name.hasPrefix("127.") ? nil : String(name)
    }
}
