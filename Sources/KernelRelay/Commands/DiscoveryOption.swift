import Host
import RelayLink

/// `--discover`, `--no-discover` and `--docker` of `relayd start` and `relayd serve`, and what the environment says.
enum DiscoveryOption {
    static let flags: Set<String> = ["--discover", "--no-discover"]
    static let options: Set<String> = ["--docker"]
    static let usage = """
          --discover              show containers that are labelled for it in Jupyter's launcher, for as long as they run;
                                  so does KERNELRELAY_DISCOVER=1 in the environment, or a client's name instead of 1
          --docker CLIENT         the engine's client for that (docker)
          --no-discover           do so no longer
        """

    enum Choice: Sendable {
        case on(client: String?)
        case off
        /// As an earlier relayd was told, or the environment says.
        case unsaid
    }

    static func read(_ words: inout Arguments) throws(HostError) -> Choice {
        let (on, off) = (words.flag("--discover"), words.flag("--no-discover"))
        let client = try words.value("--docker")
        if let client { _ = try CommandWords.read(client) }
        guard !(on && off) else { throw HostError(.usage, "--discover and --no-discover exclude each other") }
        guard on || client == nil else { throw HostError(.usage, "--docker belongs to --discover") }
        return on ? .on(client: client) : off ? .off : .unsaid
    }

    /// The same as words, for a relayd that is started.
    static func words(_ choice: Choice) -> [String] {
        switch choice {
        case .on(let client): ["--discover"] + (client.map { ["--docker", $0] } ?? [])
        case .off: ["--no-discover"]
        case .unsaid: []
        }
    }

    /// What the environment asks for.
    static func usual(_ environment: [String: String]) -> Choice {
        let text = environment["KERNELRELAY_DISCOVER"] ?? ""
        switch text.lowercased() {
        case "", "0", "no", "off", "false": return .unsaid
        case "1", "yes", "on", "true": return .on(client: nil)
        default: return .on(client: text)
        }
    }

    /// Asks python3 where Jupyter looks, where nothing else says it, and so on a thread that may wait.
    static func wish(client: String?, _ environment: [String: String]) async throws
        -> ControlRequest.Discovery
    {
        let folders = JupyterFolders(environment: environment)
        let kernels = try folders.kernels(.user)
        let search = try await offload("kr-folders") { .success(folders.search) }
        let command = try EngineClient(client, environment: [:]).command
        return .init(
            engine: command, engineEnvironment: CallerEnvironment(environment).forEngine, kernels: kernels,
            search: search)
    }
}
