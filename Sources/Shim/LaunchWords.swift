import Glibc
import Host
import RelayLink

/// The words of kernel.json, made into what relayd is asked for.
///
/// Jupyter appends words of its own behind them, which are the kernel's. So ours end at `--`, or at the first
/// word that is none of our options; everything behind goes to the kernel as it is.
package struct LaunchWords {
    static let ports = ["control", "hb", "iopub", "shell", "stdin"]
    static let options: Set<String> = Set(
        [
            "-f", "--container", "--user", "--workdir", "--env", "--cmd", "--docker", "--transport",
            "--route",
            "--interrupt",
        ] + ports.map { "--\($0)" })

    private var ours: Arguments
    private let trailing: [String]
    private let caller: CallerEnvironment
    private let folder: String

    /// - Parameter folder: the working folder, which is the notebook's.
    package init(_ words: [String], caller: CallerEnvironment, folder: String) throws(HostError) {
        let split = try Self.split(words)
        ours = try Arguments(split.ours, options: Self.options)
        trailing = split.trailing
        self.caller = caller
        self.folder = folder
    }

    private static func split(
        _ words: [String]
    ) throws(HostError) -> (ours: [String], trailing: [String]) {
        var index = 0
        while index < words.count, words[index] != "--" {
            let parts = words[index].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, options.contains(String(name)) else {
                return (Array(words[..<index]), Array(words[index...]))
            }
            index += parts.count == 1 ? 2 : 1
        }
        // An option at the very end lacks its value; Arguments says so.
        let end = min(index, words.count)
        return (Array(words[..<end]), Array(words[end...].dropFirst()))
    }

    package mutating func launch() throws(HostError) -> ControlRequest.Launch {
        var launch = ControlRequest.Launch(
            connectionFile: absolute(try required("-f")), container: try required("--container"),
            folder: folder)
        launch.engine = try CommandWords.read(try ours.value("--docker") ?? "docker")
        launch.engineEnvironment = caller.forEngine
        launch.user = try ours.value("--user").map { $0 == "host" ? "\(getuid()):\(getgid())" : $0 }
        launch.workdir = try ours.value("--workdir")
        launch.env = try environment()
        launch.session = caller["JPY_SESSION_NAME"]
        launch.command = try ours.value("--cmd")
        launch.trailing = trailing
        for channel in Self.ports {
            if let port = try port("--\(channel)") { launch.ports[channel] = port }
        }
        launch.transport = try choice("--transport", ["ipc": .ipc, "tcp": .tcp]) ?? .ipc
        launch.route = try choice("--route", Self.byName(ControlRequest.Launch.Route.allCases)) ?? .auto
        launch.interrupt =
            try choice("--interrupt", Self.byName(ControlRequest.Launch.Interrupt.allCases)) ?? .auto
        try ours.finish()
        return launch
    }

    private mutating func required(_ option: String) throws(HostError) -> String {
        if let value = try ours.value(option), !value.isEmpty { return value }
        // A slip in an option's name makes it the kernel's, and all that follows.
        let behind = trailing.first.map { "; what begins with \(printable($0)) is the kernel's" } ?? ""
        throw HostError(.usage, "\(option) is missing\(behind)")
    }

    private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }

    /// As docker's own -e: a bare name hands on the caller's value, and nothing where there is none.
    private mutating func environment() throws(HostError) -> [String: String] {
        var env: [String: String] = [:]
        for word in ours.values("--env") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            // The value may be a secret, and is not shown.
            guard !name.isEmpty else { throw HostError(.usage, "--env without a name") }
            // A kernel.json has the values beside the command line, under names that are no other program's.
            env[name] =
                parts.count == 2 ? String(parts[1]) : caller["KERNELRELAY_ENV_\(name)"] ?? caller[name]
        }
        if let session = caller["JPY_SESSION_NAME"], env["JPY_SESSION_NAME"] == nil {
            env["JPY_SESSION_NAME"] = session
        }
        // A pid of the host's would make the kernel watch a stranger, and end with it.
        env["JPY_PARENT_PID"] = nil
        return env
    }

    private mutating func port(_ option: String) throws(HostError) -> UInt16? {
        guard let text = try ours.value(option) else { return nil }
        guard let port = UInt16(text), port > 0 else {
            throw HostError(.usage, "\(option) takes a port from 1 to 65535, not \(printable(text))")
        }
        return port
    }

    private static func byName<Choice: RawRepresentable>(_ all: [Choice]) -> [String: Choice]
    where Choice.RawValue == String {
        Dictionary(uniqueKeysWithValues: all.map { ($0.rawValue, $0) })
    }

    private mutating func choice<Choice>(
        _ option: String, _ known: [String: Choice]
    ) throws(HostError) -> Choice? {
        guard let text = try ours.value(option) else { return nil }
        guard let choice = known[text] else {
            throw HostError(
                .usage,
                "\(option) is one of \(known.keys.sorted().joined(separator: ", ")), not \(printable(text))")
        }
        return choice
    }
}
