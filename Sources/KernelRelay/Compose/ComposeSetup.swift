import Glibc
import RelayLink

/// Makes services of a compose project ready for kernels, by a file of our own beside the project's.
package struct ComposeSetup: Sendable {
    package let engine: Engine
    package let compose: ComposeClient
    package let files: ComposeFiles
    /// Where this is run.
    let folder: String
    /// By -p.
    let project: String?
    /// The file that is written.
    package let output: String

    package init(
        engine: Engine, compose: ComposeClient, files: ComposeFiles, folder: String, project: String?,
        output: String?
    ) {
        self.engine = engine
        self.compose = compose
        self.folder = folder
        self.project = project
        self.output = output ?? files.usualOutput
        // Somebody may name it among the project's, as in a COMPOSE_FILE that is to hold for every command.
        self.files = files.without(self.output)
    }

    package struct Written: Sendable {
        package let override: ComposeOverride
        /// What compose calls the project.
        package let project: String
    }

    /// Writes the file for these services, and for those of an earlier call that the project still has, once compose has
    /// read it with the others.
    package func write(
        _ names: [String], channels: [String: UInt16], displayName: String?
    ) async throws(RelayError) -> Written {
        let config = ComposeConfig(try await ask(files.paths, ["config"]).text)
        for name in names where config.services[name] == nil {
            let known = config.services.keys.sorted().joined(separator: ", ")
            throw RelayError(
                .composeService, RelayLink.printable(name),
                cause: "there are: \(RelayLink.printable(known, limit: 600))")
        }
        let project = config.project ?? self.project ?? files.usualProject(from: folder)
        let shim = try await GateBinary.find(engine.client.environment).path
        let before = try earlier()
        var override = ComposeOverride(
            services: [:], version: compose.major < 2 ? config.version : nil)
        for (name, kept) in before?.services ?? [:] where config.services[name] != nil {
            override.services[name] = .init(
                channels: kept.channels, published: [:], displayName: kept.displayName)
        }
        for name in names {
            override.services[name] = .init(
                channels: channels, published: [:],
                displayName: displayName ?? before?.services[name]?.displayName)
        }
        let publishing = override.services.keys.sorted().filter {
            ComposeConfig.publishes(config.services[name: $0])
        }
        for name in publishing {
            guard let kept = before?.services[name],
                Set(kept.published.keys) == Set((override.services[name]?.channels ?? [:]).values),
                await isOurs(kept, .service(project: project, service: name))
            else { continue }
            override.services[name]?.published = kept.published
        }
        try draw(for: publishing, &override)
        try await put(override.text(shim: shim))
        return Written(override: override, project: project)
    }

    // MARK: - Ports

    /// Whether nobody else has its ports: a container that publishes them now may be its own.
    private func isOurs(_ kept: ComposeOverride.Service, _ reference: ContainerReference) async -> Bool {
        let taken = kept.published.values.filter { !HostPorts.isFree($0) }
        if taken.isEmpty { return true }
        let own = (try? await engine.containers(by: reference)) ?? []
        let theirs = Set(own.flatMap { $0.published.values.flatMap { $0.map(\.port) } })
        return theirs.isSuperset(of: taken)
    }

    private func draw(for names: [String], _ override: inout ComposeOverride) throws(RelayError) {
        let lacking = names.filter { override.services[$0]?.published.isEmpty ?? false }
        let wanted = lacking.flatMap { name in
            Set((override.services[name]?.channels ?? [:]).values).sorted().map { (name, $0) }
        }
        guard !wanted.isEmpty else { return }
        // At once for all of them, so that no two get the same.
        for ((name, inside), host) in zip(wanted, try HostPorts.choose(wanted.count)) {
            override.services[name]?.published[inside] = host
        }
    }

    // MARK: - The file

    /// What an earlier call wrote; nothing where there is no file, and an error where there is another's.
    private func earlier() throws(RelayError) -> ComposeOverride? {
        var facts = stat()
        guard lstat(output, &facts) == 0 else { return nil }
        guard facts.st_mode & S_IFMT == S_IFREG, let bytes = try? PrivateFile.read(output, limit: 1 << 20),
            let override = ComposeOverride(reading: bytes)
        else { throw RelayError(.composeForeign, RelayLink.printable(output)) }
        return override
    }

    /// Beside its place first: only what compose can read with the project's files comes to stand there.
    private func put(_ bytes: [UInt8]) async throws(RelayError) {
        let temporary = "\(output).\(getpid()).new"
        defer { unlink(temporary) }
        do throws(RelayError) {
            try PrivateFile.write(bytes, to: temporary)
        } catch {
            throw RelayError(.composeFiles, RelayLink.printable(output), cause: error.cause)
        }
        // There is nothing private in it, and a project's files are for all who work on it.
        chmod(temporary, 0o644)
        _ = try await ask(files.paths + [temporary], ["config", "--quiet"])
        guard rename(temporary, output) == 0 else {
            throw RelayError(.composeFiles, RelayLink.printable(output), cause: errorText(errno))
        }
    }

    // MARK: - Compose

    /// The words behind compose's own for something that is to be done with these files.
    package func words(_ paths: [String], _ command: [String]) -> [String] {
        (project.map { ["-p", $0] } ?? []) + paths.flatMap { ["-f", $0] } + command
    }

    /// What starts these services with ours.
    package func up(_ names: [String]) -> [String] { words(files.paths + [output], ["up", "-d"] + names) }

    private func ask(_ paths: [String], _ command: [String]) async throws(RelayError)
        -> EngineCommand.Outcome
    {
        let outcome = try await compose.command(words(paths, command)).run()
        if outcome.succeeded { return outcome }
        throw RelayError(
            .composeFailed,
            "\(compose.client.shown.joined(separator: " ")) \(command.joined(separator: " "))",
            cause: outcome.reason)
    }

    /// How the container of a service that runs is found again; by what it is labelled with, whatever was thought before.
    package func reference(to name: String, _ written: Written) async -> ContainerReference {
        let asked = try? await ask(files.paths + [output], ["ps", "-q", name])
        let id = asked?.text.split(whereSeparator: \.isWhitespace).first.map(String.init)
        if let id, let container = try? await engine.container(id), let service = container.service {
            return service
        }
        return .service(project: written.project, service: name)
    }
}

extension [String: String?] {
    /// A value that is not there is none.
    fileprivate subscript(name name: String) -> String? { self[name] ?? nil }
}
