import Glibc
import Host
import RelayLink

extension Subcommand {
    static let add = Subcommand(
        name: "add",
        summary: "write a kernel.json, so that Jupyter offers the container as a kernel",
        usage: """
            usage: relayd add --container NAME [OPTIONS]

              --container NAME       the container that the kernel will run in
              --name NAME            the kernel's name; else made from the display name
              --display-name TEXT    what Jupyter's launcher shows; else `Python (NAME)`
              --language LANGUAGE    else what --cmd looks like, else python
              --user                 install for you alone (this is the default)
              --sys-prefix           into the active virtual or conda environment, else python3's own
              --prefix FOLDER        into FOLDER/share/jupyter/kernels
              --replace              even if a kernel of this name is there, if `relayd add` wrote it
              --interrupt-mode MODE  how Jupyter interrupts: signal (else) or message

            What the kernel is started with, as relay-shim takes it:

              --exec-user USER       who the kernel is in the container; `host`: your uid and gid
              --workdir FOLDER       in the container; else where the notebook's folder is mounted
              --env NAME[=VALUE]     a variable; a bare name hands on Jupyter's own (may be repeated)
              --cmd COMMAND          a JSON or Python list, or shell words; else ipykernel
              --docker CLIENT        the engine's client and its options; else docker
              --route ROUTE          auto (else), published, bridge or line
              --transport KIND       ipc (else) or tcp
              --control --hb --iopub --shell --stdin PORT
                                     the container's ports; else 10000 to 10004 in this order
            """
    ) { words in
        let caller = CurrentEnvironment.variables
        var request = try AddRequest(words)
        let folders = JupyterFolders(environment: caller)
        let spec = try request.spec(program: await GateBinary.find(caller).path)
        let kernels = try folders.kernels(request.place)
        for name in spec.variables.keys.sorted().map({ printable($0, limit: 100) }) {
            Complaint.say(
                """
                relayd: the value of \(name) stands in kernel.json now; `--env \(name)` hands on Jupyter's own instead
                """)
        }
        let folder = try SpecFolder.write(spec, name: request.name, in: kernels, replace: request.replaces)
        print("\(request.name)  \(folder)")
        if !folders.search.contains(kernels) {
            Complaint.say("relayd: Jupyter looks there only if its JUPYTER_PATH, or its prefix, says so")
        }
        await warn(about: spec.container, client: request.client)
        return 0
    }
}

/// A container may be started later; a slip in its name should show now.
private func warn(about container: String, client: String?) async {
    do {
        let client = try EngineClient(client, environment: CurrentEnvironment.variables)
        _ = try await Engine(client).runningContainer(container)
    } catch {
        Complaint.say("relayd: the kernel is written; as things are it would not start: \(error)")
    }
}

/// What the words of `relayd add` ask for.
package struct AddRequest {
    package private(set) var name = ""
    package private(set) var place = JupyterFolders.Place.user
    package private(set) var replaces = false
    private var variables: [String: String] = [:]
    /// As it stands behind `--docker`.
    package private(set) var client: String?
    private var words: Arguments

    private static let ports = ["--control", "--hb", "--iopub", "--shell", "--stdin"]

    package init(_ words: [String]) throws {
        self.words = try Arguments(
            words,
            options: Set(
                [
                    "--container", "--name", "--display-name", "--language", "--prefix", "--interrupt-mode",
                    "--exec-user", "--workdir", "--env", "--cmd", "--docker", "--route", "--transport",
                ] + Self.ports),
            flags: ["--user", "--sys-prefix", "--replace"])
    }

    package mutating func spec(program: String) throws -> Kernelspec {
        guard let container = try words.value("--container"), !container.isEmpty else {
            throw HostError(.usage, "--container is missing")
        }
        place = try PlaceOption.read(&words) ?? .user
        let command = try words.value("--cmd")
        let language = try words.value("--language") ?? Self.language(of: command)
        var spec = Kernelspec(
            program: program, container: container,
            displayName: try words.value("--display-name") ?? "\(Self.title(language)) (\(container))",
            language: language)
        spec.interruptMode = try choice("--interrupt-mode", Kernelspec.InterruptMode.self) ?? .signal
        spec.options = try options(command)
        spec.variables = variables
        if let given = try words.value("--name") {
            try SpecName.check(given)
            name = given
        } else {
            name = SpecName.from(spec.displayName)
        }
        replaces = words.flag("--replace")
        guard words.rest.isEmpty else { throw HostError(.usage, "nothing belongs behind --") }
        try words.finish()
        return spec
    }

    /// What relay-shim will read is read here already: a slip shows now, and not when the kernel is to start.
    private mutating func options(_ command: String?) throws -> [String] {
        var options: [String] = []
        func add(_ name: String, _ value: String?) {
            if let value { options += [name, value] }
        }
        add("--user", try words.value("--exec-user"))
        add("--workdir", try words.value("--workdir"))
        for word in words.values("--env") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, !name.isEmpty else {
                throw HostError(.usage, "--env without a name")
            }
            if parts.count == 2 { variables[String(name)] = String(parts[1]) }
            add("--env", String(name))
        }
        if let command { _ = try Self.read(command) }
        add("--cmd", command)
        client = try words.value("--docker")
        if let client { _ = try CommandWords.read(client) }
        add("--docker", client)
        add("--route", try choice("--route", ControlRequest.Launch.Route.self)?.rawValue)
        add("--transport", try choice("--transport", GateRequest.Launch.Transport.self)?.rawValue)
        for option in Self.ports {
            guard let text = try words.value(option) else { continue }
            guard let port = UInt16(text), port > 0 else {
                throw HostError(.usage, "\(option) takes a port from 1 to 65535, not \(printable(text))")
            }
            add(option, text)
        }
        return options
    }

    private static func read(_ command: String) throws(RelayError) -> [String] {
        do throws(HostError) {
            return try CommandWords.read(command)
        } catch {
            throw RelayError(.command, error.context)
        }
    }

    private mutating func choice<Choice: RawRepresentable>(
        _ option: String, _: Choice.Type
    ) throws -> Choice? where Choice.RawValue == String {
        guard let text = try words.value(option) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw HostError(.usage, "\(option) cannot be \(printable(text))")
        }
        return choice
    }

    /// Jupyter asks for one; what the program is called tells it mostly.
    private static func language(of command: String?) -> String {
        guard let command, let program = try? read(command).first else { return "python" }
        let name = program.split(separator: "/").last.map(String.init) ?? program
        if name == "R" || name == "Rscript" { return "R" }
        return name.hasPrefix("julia") ? "julia" : "python"
    }

    private static func title(_ language: String) -> String {
        language.prefix(1).uppercased() + language.dropFirst()
    }
}
