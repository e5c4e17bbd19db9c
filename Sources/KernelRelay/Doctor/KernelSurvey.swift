import RelayLink

/// The kernels that are found in a running container, without leaving anything in it.
///
/// An interpreter is asked by running it, as a launch would; what else there is stands in the container's own kernelspecs,
/// which `cp` brings out: that takes no shell and no program in the image.
package struct KernelSurvey: Sendable {
    package let engine: Engine
    package let container: String
    /// As `docker exec --user` takes it.
    package let user: String?

    package init(engine: Engine, container: String, user: String?) {
        self.engine = engine
        self.container = container
        self.user = user
    }

    package struct Outcome: Sendable, Equatable {
        package var kernels: [FoundKernel] = []
        /// What was looked for and is not there, for a person.
        package var absent: [String] = []
    }

    package func run() async throws(RelayError) -> Outcome {
        // Of one that is paused nothing can be asked.
        let container = try await engine.runningContainer(container).mustBeForAll()
        var outcome = Outcome()
        var prefixes = Self.prefixes
        let python = try await python(in: container)
        if let interpreter = python.interpreter {
            outcome.kernels.append(.python(interpreter))
        }
        outcome.absent += python.absent
        for survey in python.surveys {
            // PREFIX/bin/python3
            let parts = survey.executable.split(separator: "/").dropLast(2)
            prefixes.append("/" + parts.joined(separator: "/"))
        }
        switch try await r(in: container) {
        case .found: outcome.kernels.append(.r)
        case .absent(let reason): outcome.absent.append(reason)
        }
        var seen: Set<String> = []
        var specs: [ContainerSpec] = []
        for prefix in prefixes where seen.insert(prefix).inserted {
            specs += try await self.specs(under: prefix, in: container)
        }
        outcome.kernels += FoundKernel.others(specs, besides: outcome.kernels, python.surveys)
        if specs.isEmpty { outcome.absent.append("no kernelspec") }
        return outcome
    }

    /// Where Debian's packages, a person's `pip install` and conda put kernelspecs. Python's own prefix is added.
    private static let prefixes = ["/usr", "/usr/local", "/opt/conda"]

    private func exec(_ container: Container, _ words: [String]) async throws(RelayError)
        -> EngineCommand.Outcome
    {
        let who = user.map { ["--user", $0] } ?? []
        return try await engine.command(["exec"] + who + [container.id] + words).run(
            within: Tuning.checkAtMost)
    }

    private func python(
        in container: Container
    ) async throws(RelayError) -> (interpreter: String?, surveys: [PythonSurvey], absent: [String]) {
        var surveys: [PythonSurvey] = []
        for name in ["python3", "python"] {
            // Without bytecode: nothing is to be left in there.
            let answer = try await exec(container, [name, "-B", "-c", PythonSurvey.script])
            guard answer.succeeded, let survey = PythonSurvey(answer: answer.text) else { continue }
            surveys.append(survey)
            if survey.ipykernel != nil { return (name, surveys, []) }
        }
        return (nil, surveys, [surveys.isEmpty ? "no python" : "no ipykernel in its python"])
    }

    private enum Presence {
        case found
        case absent(String)
    }

    private func r(in container: Container) async throws(RelayError) -> Presence {
        let answer = try await exec(
            container, ["R", "--slave", "-e", "invisible(packageVersion('IRkernel'))"])
        if answer.succeeded { return .found }
        // The codes by which an exec says that the program is not there.
        let isMissing = [.code(126), .code(127)].contains(answer.status)
        return .absent(isMissing ? "no R" : "no IRkernel in its R")
    }

    private func specs(under prefix: String, in container: Container) async throws(RelayError)
        -> [ContainerSpec]
    {
        let folder = "\(prefix == "/" ? "" : prefix)/share/jupyter/kernels"
        let answer = try await engine.command(["cp", "--follow-link", "\(container.id):\(folder)", "-"]).run(
            within: Tuning.checkAtMost)
        // Most often because there is no such folder.
        guard answer.succeeded else { return [] }
        return TarFiles.read(answer.output).compactMap { file in
            // kernels/NAME/kernel.json
            let parts = file.name.split(separator: "/").map(String.init)
            guard parts.count == 3, parts[2] == "kernel.json" else { return nil }
            return ContainerSpec(file.bytes, name: parts[1], folder: "\(folder)/\(parts[1])")
        }
    }
}

extension Engine {
    /// The names of the containers that run.
    package func running() async throws(RelayError) -> [String] {
        let asked = command(["ps", "--format", "{{.Names}}"])
        let outcome = try await asked.run()
        guard outcome.succeeded else { throw await explain(outcome, .engineFailed, asked.name) }
        return outcome.text.split(whereSeparator: \.isNewline).compactMap { line in
            // A linked container has several.
            line.split(separator: ",").first.map(String.init)
        }.sorted()
    }
}
