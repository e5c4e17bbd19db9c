import FoundationEssentials
import Glibc
import Host
import RelayLink

extension Subcommand {
    static let compose = Subcommand(
        name: "compose",
        summary: "make services of a compose project ready for kernels",
        usage: """
            usage: relayd compose [OPTIONS] SERVICE...
                   relayd compose up [OPTIONS] SERVICE...

            Writes a file beside the project's own, which adds to each service five ports on 127.0.0.1, the gate, an init
            and labels, and changes nothing else; your files are only read. `up` then starts the services with it:
            `docker compose` where that is there, else docker-compose.

              -f, --file FILE       a file of the project, as for compose itself (may be repeated); else those that
                                    compose would take
              -p, --project-name NAME
                                    the project, as for compose itself
              -o, --output FILE     what is written; else compose.kernelrelay.yml beside the first file
              --display-name TEXT   label the service with it: discovery shows it in the launcher by that name
              --json                say what was written as JSON
            \(PortOptions.usage)
            \(EngineOption.usage)

            Written anew it keeps the services that it has, as long as the project has them, and their ports. A file that
            something else wrote is never replaced.
            """
    ) { words in
        var arguments = try Arguments(
            words,
            options: PortOptions.names.union([
                "-f", "--file", "-p", "--project-name", "-o", "--output", "--display-name", "--docker",
            ]), flags: ["--json"])
        let engine = try EngineOption.read(&arguments)
        let channels = try PortOptions.read(&arguments)
        let named = arguments.values("-f") + arguments.values("--file")
        let project = try arguments.value("-p") ?? arguments.value("--project-name")
        let output = try arguments.value("-o") ?? arguments.value("--output")
        let displayName = try arguments.value("--display-name")
        let wantsJSON = arguments.flag("--json")
        var services: [String] = []
        while let service = arguments.operand() { services.append(service) }
        // Behind `--` a service may be called as the word is.
        let starts = services.first == "up"
        if starts { services.removeFirst() }
        services += arguments.rest
        try arguments.finish()
        guard !services.isEmpty else { throw HostError(.usage, "SERVICE is missing") }
        guard displayName == nil || services.count == 1 else {
            throw HostError(.usage, "--display-name is for one service")
        }
        let folder = FileManager.default.currentDirectoryPath
        let compose = try await ComposeClient.find(engine.client)
        let setup = ComposeSetup(
            engine: engine, compose: compose,
            files: try ComposeFiles(
                named: named, in: folder, environment: engine.client.environment, major: compose.major),
            folder: folder, project: project, output: output)
        let written = try await setup.write(services, channels: channels, displayName: displayName)
        var report = ComposeReport(setup: setup, written: written, services: services)
        if starts {
            let status = try await ComposeRun.run(compose, setup.up(services), to: wantsJSON ? 2 : 1)
            guard status == .code(0) else {
                throw RelayError(.composeFailed, report.line, cause: ComposeRun.text(status))
            }
            for name in services { report.references[name] = await setup.reference(to: name, written) }
        }
        print(wantsJSON ? report.json : report.text(started: starts))
        return 0
    }
}

/// What `relayd compose` says.
struct ComposeReport {
    let setup: ComposeSetup
    let written: ComposeSetup.Written
    let services: [String]
    /// How each is found; the same as compose's labels say, once it runs.
    var references: [String: ContainerReference]

    init(setup: ComposeSetup, written: ComposeSetup.Written, services: [String]) {
        self.setup = setup
        self.written = written
        self.services = services
        references = Dictionary(
            services.map { ($0, .service(project: written.project, service: $0)) }
        ) { first, _ in first }
    }

    private func ports(of name: String) -> [UInt16] {
        (written.override.services[name]?.published ?? [:]).sorted { $0.key < $1.key }.map(\.value)
    }

    /// As one types it.
    var line: String {
        (setup.compose.client.shown + setup.up(services)).map(ShellWord.quote).joined(separator: " ")
    }

    private func add(_ name: String) -> String {
        let client = setup.engine.client.command
        let option =
            client == ["docker"]
            ? "" : " --docker \(ShellWord.quote(client.map(ShellWord.quote).joined(separator: " ")))"
        return "relayd add --container \(ShellWord.quote(references[name]?.text ?? name))\(option)"
    }

    func text(started: Bool) -> String {
        var lines = services.map { name in
            let ports = ports(of: name).map(String.init).joined(separator: ", ")
            let what =
                ports.isEmpty ? "publishes nothing: it has no network of its own" : "127.0.0.1: \(ports)"
            return "\(setup.output)  \(name)  \(what)"
        }
        if !started { lines.append(line) }
        return (lines + services.map(add)).joined(separator: "\n")
    }

    var json: String {
        let each = services.map { name in
            let service = written.override.services[name]
            let ports = (service?.channels ?? [:]).mapValues { inside in
                JSON.object([
                    "container_port": .whole(Int64(inside)),
                    "host_port": service?.published[inside].map { .whole(Int64($0)) } ?? .null,
                ])
            }
            return (
                name,
                JSON.object(["container": .string(references[name]?.text ?? ""), "ports": .object(ports)])
            )
        }
        let whole: JSON = .object([
            "schema_version": 1, "file": .string(setup.output), "project": .string(written.project),
            "files": .array(setup.files.paths.map { .string($0) }),
            "command": .array((setup.compose.client.command + setup.up(services)).map { .string($0) }),
            "services": .object(Dictionary(each) { first, _ in first }),
        ])
        return String(decoding: whole.encoded, as: UTF8.self)
    }
}

/// Compose in the foreground: what it says is the caller's to read.
enum ComposeRun {
    /// - Parameter output: the descriptor that its stdout is.
    static func run(
        _ compose: ComposeClient, _ words: [String], to output: Int32
    ) async throws -> ChildProcess.ExitStatus {
        let client = compose.client
        let program = client.command.first ?? ""
        guard let path = ProgramLookup.find(program, environment: client.environment) else {
            throw RelayError(.composeMissing, RelayLink.printable(program))
        }
        let child = try await offload("kr-client") { () -> Result<ChildProcess, RelayError> in
            do throws(ChildProcess.Failure) {
                return .success(
                    try ChildProcess(
                        path, argv: client.command + words, environment: client.environment,
                        stdin: STDIN_FILENO, stdout: output, stderr: STDERR_FILENO))
            } catch {
                return .failure(.system("posix_spawn", error.number))
            }
        }
        return try await Interruption.cancelling {
            await withTaskCancellationHandler {
                await child.exit()
            } onCancel: {
                // It is in a session of its own, where the terminal's Ctrl-C does not come.
                child.kill(SIGINT)
            }
        }
    }

    static func text(_ status: ChildProcess.ExitStatus) -> String {
        switch status {
        case .code(let code): "exit code \(code)"
        case .signal(let number): "killed by signal \(number)"
        }
    }
}
