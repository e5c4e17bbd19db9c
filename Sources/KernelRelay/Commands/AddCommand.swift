import Glibc
import Host
import RelayLink

extension Subcommand {
    static let add = Subcommand(
        name: "add",
        summary: "write a kernel.json, so that Jupyter offers the container as a kernel",
        usage: """
            usage: relayd add --container NAME [OPTIONS]
                   relayd add --image IMAGE [OPTIONS] [-- ARGUMENTS FOR RUN]
                   relayd add --project [--allow PATTERN]... [OPTIONS]
                   relayd add --from FILE [--replace] [--user|--sys-prefix|--prefix FOLDER]
                   relayd add --all [--replace] [OPTIONS]

              --container NAME       the container that the kernel will run in; or compose:PROJECT/SERVICE, or
                                     label:KEY=VALUE, which are found again when they are made anew
              --image IMAGE          makes a container for each kernel, and removes it with the kernel
              --project              one kernel for every project: which container, and who runs what in it, is said by
                                     the nearest .kernelrelay.json, from the notebook's folder upward
              --allow PATTERN        a container that such a file may choose, with * and ?; else any (may be repeated)
              --from FILE            the kernels of a JSON list: all of them, or none
              --all                  a kernel for each that is found in the containers that run
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
              --route ROUTE          auto (else), published, bridge, line or tunnel
              --ssh-agent            your ssh agent in the container, as long as the kernel lives
              --transport KIND       ipc (else) or tcp
              --on-failure HOW       kernel (else): cells say why there is no kernel, and the next one tries
                                     again; exit: the shim ends, as batch jobs want it
              --debug-paths WHOSE    container (else), or host: a debugger sees and names the host's files where a
                                     bind mount shows them in the container
              --launch-timeout SECONDS
                                     how long a launch may take; else 50
              --idle-timeout TIME    end the kernel when nothing has run in it for so long: seconds, or 30m, 2h, 1d
              --max-lifetime TIME    end it when it has been there for so long
              --control --hb --iopub --shell --stdin PORT
                                     the container's ports; else 10000 to 10004 in this order
            """
    ) { words in
        let program = try await GateBinary.find(CurrentEnvironment.variables).path
        let ours = words.prefix { $0 != "--" }
        if ours.contains(where: { $0 == "--from" || $0.hasPrefix("--from=") }) {
            return try await AddFrom.run(words, program: program)
        }
        if ours.contains("--all") { return try await AddAll.run(words, program: program) }
        return try await AddedKernels.write([try AddRequest.read(words, program: program)])
    }
}

/// Kernels that were asked for are written together, and what is to be known of them is said.
enum AddedKernels {
    struct Kernel {
        let request: AddRequest
        let spec: Kernelspec

        var draft: SpecBatch.Draft { .init(name: request.name, spec: spec) }
    }

    /// - Parameter kernels: all for one place.
    static func write(_ kernels: [Kernel]) async throws -> Int32 {
        guard let first = kernels.first?.request else { return 0 }
        let folders = JupyterFolders(environment: CurrentEnvironment.variables)
        let place = try folders.kernels(first.place)
        for kernel in kernels { tell(of: kernel.spec) }
        let written = try SpecBatch.write(
            kernels.map(\.draft), in: place, replace: first.replaces, areOnesOwn: first.place == .user)
        for (kernel, folder) in zip(kernels, written) { print("\(kernel.request.name)  \(folder)") }
        if !folders.search.contains(place) {
            Complaint.say("relayd: Jupyter looks there only if its JUPYTER_PATH, or its prefix, says so")
        }
        for kernel in kernels { await warn(about: kernel.spec, client: kernel.request.client) }
        return 0
    }

    private static func tell(of spec: Kernelspec) {
        for name in spec.variables.keys.sorted().map({ printable($0, limit: 100) }) {
            Complaint.say(
                """
                relayd: the value of \(name) stands in kernel.json now; `--env \(name)` hands on Jupyter's own instead
                """)
        }
        guard spec.isOfProject, spec.values("--allow").isEmpty else { return }
        let agent = spec.options.contains("--ssh-agent") ? ["the ssh agent"] : []
        for name in spec.values("--env").map({ printable($0, limit: 100) }) + agent {
            Complaint.say(
                """
                relayd: \(name) goes to whatever container a project's file names; `--allow PATTERN` says which it may
                """)
        }
    }
}

/// A container may be started later, and an image be fetched; a slip in its name should show now.
private func warn(about spec: Kernelspec, client: String?) async {
    do {
        let engine = Engine(try EngineClient(client, environment: CurrentEnvironment.variables))
        if let image = spec.image {
            guard await engine.lacksImage(image) else { return }
            Complaint.say(
                "relayd: the kernel is written; its image is not here, and its first start has to fetch it: \(printable(image, limit: 500))"
            )
        } else if !spec.container.isEmpty {
            // A project's is known when there is one.
            _ = try await engine.runningContainer(spec.container).mustBeForAll()
        }
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
    /// Those that take a value.
    package static let options = Set(
        [
            "--container", "--image", "--name", "--display-name", "--language", "--prefix",
            "--interrupt-mode",
            "--exec-user", "--workdir", "--env", "--cmd", "--docker", "--route", "--transport",
            "--on-failure", "--launch-timeout", "--debug-paths", "--allow",
        ] + ports + TimeSpan.options)
    package static let flags: Set<String> = [
        "--user", "--sys-prefix", "--replace", "--project", "--ssh-agent",
    ]

    package init(_ words: [String]) throws {
        self.words = try Arguments(words, options: Self.options, flags: Self.flags)
    }

    static func read(_ words: [String], program: String) throws -> AddedKernels.Kernel {
        var request = try AddRequest(words)
        let spec = try request.spec(program: program)
        return .init(request: request, spec: spec)
    }

    package mutating func spec(program: String) throws -> Kernelspec {
        let project = try project()
        let (container, image) = try target(isProjects: !project.isEmpty)
        let given = try PlaceOption.read(&words)
        place = given ?? .user
        let command = try words.value("--cmd")
        let language = try words.value("--language") ?? KernelLanguage.of(command)
        var spec = Kernelspec(
            program: program, container: container,
            displayName: try words.value("--display-name")
                ?? (project.isEmpty
                    ? "\(KernelLanguage.title(language)) (\(try image ?? ContainerReference(container).title))"
                    : "Container of this project"),
            language: language)
        spec.image = image
        spec.interruptMode = try choice("--interrupt-mode", Kernelspec.InterruptMode.self) ?? .signal
        spec.options = try project + options(command)
        if image != nil { spec.runArguments = takeVariables(&spec.options) }
        spec.variables = variables
        if let given = try words.value("--name") {
            try SpecName.check(given)
            name = given
        } else {
            name = SpecName.from(spec.displayName)
        }
        replaces = words.flag("--replace")
        if given == .user, let user = words.operand() {
            let shown = ShellWord.quote(RelayLink.printable(user))
            throw HostError(
                .usage,
                "--user is where the kernel is installed; who it is in the container: --exec-user \(shown)")
        }
        guard words.rest.isEmpty || image != nil && !words.rest.contains("--") else {
            throw HostError(.usage, "nothing belongs behind --")
        }
        try words.finish()
        return spec
    }

    private mutating func project() throws -> [String] {
        let allow = words.values("--allow")
        if words.flag("--project") { return ["--project"] + allow.flatMap { ["--allow", $0] } }
        guard allow.isEmpty else { throw HostError(.usage, "--allow belongs to --project") }
        return []
    }

    private mutating func target(isProjects: Bool) throws -> (container: String, image: String?) {
        switch (try words.value("--container"), try words.value("--image")) {
        case (let container?, nil) where !container.isEmpty: return (container, nil)
        case (nil, let image?) where !image.isEmpty: return ("", image)
        case (nil, nil) where isProjects: return ("", nil)
        case (nil, _?) where isProjects: throw HostError(.usage, "--project and --image exclude each other")
        case (_?, _?): throw HostError(.usage, "--container and --image exclude each other")
        default:
            let meant =
                words.operand().map { name in
                    ": --container \(ShellWord.quote(RelayLink.printable(name)))?"
                } ?? ""
            throw HostError(.usage, "--container is missing, or --image\(meant)")
        }
    }

    /// Variables among the words for `run` go where those of `--env` do; what is left is returned.
    private mutating func takeVariables(_ options: inout [String]) -> [String] {
        let found = RunArguments.variables(in: words.rest[...])
        for variable in found {
            let parts = variable.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if parts.count == 2 { variables[name] = String(parts[1]) }
            options += ["--env", name]
        }
        return RunArguments.without(found, words.rest[...])
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
        if words.flag("--ssh-agent") { options.append("--ssh-agent") }
        add("--transport", try choice("--transport", GateRequest.Launch.Transport.self)?.rawValue)
        add("--on-failure", try choice("--on-failure", ControlRequest.Launch.Failure.self)?.rawValue)
        add("--debug-paths", try choice("--debug-paths", ControlRequest.Launch.DebugPaths.self)?.rawValue)
        if let seconds = try words.value("--launch-timeout") {
            _ = try LaunchTimeout.read(seconds)
            add("--launch-timeout", seconds)
        }
        for option in TimeSpan.options.sorted() {
            let time = try words.value(option)
            if let time { _ = try TimeSpan.read(time, for: option) }
            add(option, time)
        }
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
}
