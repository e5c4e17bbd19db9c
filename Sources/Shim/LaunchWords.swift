import Glibc
import Host
import RelayLink

/// The words of kernel.json, made into what relayd is asked for.
///
/// `WordSections` says which are ours, which the engine's and which the kernel's.
package struct LaunchWords {
    static let ports = ["control", "hb", "iopub", "shell", "stdin"]
    static let options: Set<String> = Set(
        [
            "-f", "--container", "--image", "--user", "--workdir", "--env", "--cmd", "--docker",
            "--transport",
            "--route",
            "--interrupt", "--on-failure", "--launch-timeout", "--debug-paths", "--allow",
        ] + ports.map { "--\($0)" } + TimeSpan.options)
    static let flags: Set<String> = ["--project", "--ssh-agent"]

    var ours: Arguments
    /// For the engine's `run`.
    let run: ArraySlice<String>
    let trailing: [String]
    let caller: CallerEnvironment
    private let folder: String

    /// - Parameter folder: the working folder, which is the notebook's.
    package init(_ words: [String], caller: CallerEnvironment, folder: String) throws(HostError) {
        let sections = WordSections(words, options: Self.options, flags: Self.flags)
        ours = try Arguments(Array(words[sections.ours]), options: Self.options, flags: Self.flags)
        run = words[sections.run]
        trailing = Array(words[sections.trailing])
        self.caller = caller
        self.folder = folder
    }

    package mutating func launch() throws(HostError) -> ControlRequest.Launch {
        var launch = ControlRequest.Launch(
            connectionFile: absolute(try required("-f")), folder: folder, project: try project())
        launch.command = try ours.value("--cmd")
        try choosePlace(for: &launch)
        launch.engine = try CommandWords.read(try ours.value("--docker") ?? "docker")
        launch.engineEnvironment = caller.forEngine
        launch.user = try ours.value("--user").map { $0 == "host" ? Self.host : $0 }
        if launch.hostEnvironment != nil, launch.user != nil {
            throw HostError(.usage, "--user is for containers; a command on this host is run as you")
        }
        launch.workdir = try ours.value("--workdir")
        launch.env = try environment()
        launch.making?.arguments += launch.env.filter { RunArguments.isForEngine($0.key) }
            .sorted { $0.key < $1.key }.flatMap { ["--env", "\($0.key)=\($0.value)"] }
        launch.session = caller["JPY_SESSION_NAME"]
        launch.trailing = trailing
        for channel in Self.ports {
            if let port = try port("--\(channel)") { launch.ports[channel] = port }
        }
        launch.transport = try choice("--transport", ["ipc": .ipc, "tcp": .tcp]) ?? usualTransport(launch)
        launch.route = try choice("--route", Self.byName(ControlRequest.Launch.Route.allCases)) ?? .auto
        launch.interrupt =
            try choice("--interrupt", Self.byName(ControlRequest.Launch.Interrupt.allCases)) ?? .auto
        launch.onFailure =
            try choice("--on-failure", Self.byName(ControlRequest.Launch.Failure.allCases)) ?? .kernel
        launch.debugPaths =
            try choice("--debug-paths", Self.byName(ControlRequest.Launch.DebugPaths.allCases)) ?? .container
        if let seconds = try ours.value("--launch-timeout") {
            launch.timeoutMilliseconds = try LaunchTimeout.read(seconds)
        }
        launch.lifetimes = try TimeSpan.lifetimes(&ours)
        if ours.flag("--ssh-agent") { launch.sshAgent = try agent() }
        try ours.finish()
        return launch
    }

    private static var host: String { "\(getuid()):\(getgid())" }

    private mutating func project() throws(HostError) -> ControlRequest.Launch.Project? {
        let allow = ours.values("--allow")
        guard ours.flag("--project") else {
            guard allow.isEmpty else { throw HostError(.usage, "--allow belongs to --project") }
            return nil
        }
        return .init(host: Self.host, overrides: ProjectVariables.read(caller.variables), allow: allow)
    }

    private mutating func required(_ option: String) throws(HostError) -> String {
        if let value = try ours.value(option), !value.isEmpty { return value }
        throw missing(option)
    }

    func missing(_ option: String) -> HostError {
        // A slip in an option's name makes it the kernel's, and all that follows.
        let behind = trailing.first.map { "; what begins with \(printable($0)) is the kernel's" } ?? ""
        return HostError(.usage, "\(option) is missing\(behind)")
    }

    private func agent() throws(HostError) -> String {
        guard let path = caller["SSH_AUTH_SOCK"], !path.isEmpty else { throw HostError(.agentMissing) }
        return absolute(path)
    }

    private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }

    /// As docker's own -e: a bare name hands on the caller's value, and nothing where there is none.
    private mutating func environment() throws(HostError) -> [String: String] {
        var env: [String: String] = [:]
        for word in ours.values("--env") + RunArguments.variables(in: run).map(\.text) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            // The value may be a secret, and is not shown.
            guard !name.isEmpty else { throw HostError(.usage, "--env without a name") }
            // A kernel.json has the values beside the command line, under names that are no other program's.
            env[name] =
                parts.count == 2 ? String(parts[1]) : caller["\(ProjectVariables.env)\(name)"] ?? caller[name]
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
