import Glibc
import Host
import RelayLink

/// `relayd add --all`: a kernel for each that is found in the containers that run.
enum AddAll {
    /// Each kernel has its own.
    private static let own = [
        "--container", "--name", "--display-name", "--language", "--cmd", "--env", "--interrupt-mode",
        "--project",
        "--allow",
    ]

    static func run(_ words: [String], program: String) async throws -> Int32 {
        let common = words.filter { $0 != "--all" }
        for word in common.prefix(while: { $0 != "--" }) {
            let name = word.split(separator: "=", maxSplits: 1).first.map(String.init) ?? word
            if own.contains(name) { throw HostError(.usage, "\(name) does not belong beside --all") }
        }
        // Everything else holds for each of them, and is wrong already where there is none.
        let sample = try AddRequest.read(common + ["--container=any"], program: program)
        let client = try EngineClient(sample.request.client, environment: CurrentEnvironment.variables)
        let engine = Engine(client)
        let folders = JupyterFolders(environment: CurrentEnvironment.variables)
        let place = try folders.kernels(sample.request.place)
        let user = sample.spec.values("--user").last.map { $0 == "host" ? "\(getuid()):\(getgid())" : $0 }

        let present = await present(in: place, of: engine)
        var report = Report()
        var wanted: [AddedKernels.Kernel] = []
        for (container, answer) in await look(into: try await engine.running(), of: engine, as: user) {
            switch answer {
            case .failure(let error): report.skip(container, error.description)
            case .success(let outcome):
                if outcome.kernels.isEmpty {
                    report.skip(container, outcome.absent.joined(separator: ", "))
                }
                for found in outcome.kernels {
                    let kernel: AddedKernels.Kernel
                    do {
                        kernel = try AddRequest.read(found.words(in: container) + common, program: program)
                    } catch {
                        report.skip(container, "\(error)")
                        continue
                    }
                    let others = wanted.map(\.request.name)
                    if let reason = reason(toSkip: kernel, others, in: place)
                        ?? present.reason(toSkip: kernel)
                    {
                        report.skip(container, reason)
                    } else {
                        wanted.append(kernel)
                    }
                }
            }
        }
        report.print()
        let code = try await AddedKernels.write(wanted)
        if wanted.isEmpty { Swift.print("no kernel was written") }
        return code
    }

    /// What a second run, or a person, has written already.
    private static func reason(
        toSkip kernel: AddedKernels.Kernel, _ others: [String], in place: String
    ) -> String? {
        let name = kernel.request.name
        if others.contains(name) { return "\(name) is another kernel's name already" }
        let folder = "\(place)/\(name)"
        var facts = stat()
        guard lstat(folder, &facts) == 0 else { return nil }
        // A link leads to files that are kept elsewhere.
        guard facts.st_mode & S_IFMT == S_IFDIR, let there = InstalledSpec.read(folder) else {
            return "\(name) is there, and not ours"
        }
        if there.text(as: name) == kernel.spec.text(as: name) { return "\(name) is there" }
        return kernel.request.replaces
            ? nil : "\(name) is there and says something else; --replace writes it anew"
    }

    /// Kernels that are there already, with the names of their containers today.
    private struct Present {
        var kernels: [(container: String, installed: InstalledSpec)] = []

        /// A second one of the same would look the same in the launcher.
        func reason(toSkip kernel: AddedKernels.Kernel) -> String? {
            let same = kernels.first { container, installed in
                container == kernel.spec.container && installed.name != kernel.request.name
                    && ["--cmd", "--docker"].allSatisfy {
                        installed.spec.values($0) == kernel.spec.values($0)
                    }
            }
            return same.map { "\($0.installed.name) is a kernel of it already" }
        }
    }

    private static func present(in place: String, of engine: Engine) async -> Present {
        var folders = JupyterFolders(environment: CurrentEnvironment.variables)
        folders.only = place
        var present = Present()
        for installed in InstalledSpec.all(folders) where !installed.spec.container.isEmpty {
            guard let container = try? await engine.runningContainer(installed.spec.container) else {
                continue
            }
            present.kernels.append((container.name, installed))
        }
        return present
    }

    /// A few at once: each costs some execs, which the engine does one after the other anyway.
    private static func look(
        into containers: [String], of engine: Engine, as user: String?
    ) async -> [(String, Result<KernelSurvey.Outcome, RelayError>)] {
        await withTaskGroup(of: Answer.self) { group in
            var answers: [Answer] = []
            for (index, name) in containers.enumerated() {
                if index >= Tuning.surveysAtOnce, let answer = await group.next() { answers.append(answer) }
                group.addTask {
                    await Answer(
                        index: index, outcome: survey(.init(engine: engine, container: name, user: user)))
                }
            }
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.index < $1.index }.map { (containers[$0.index], $0.outcome) }
        }
    }

    private struct Answer: Sendable {
        let index: Int
        let outcome: Result<KernelSurvey.Outcome, RelayError>
    }

    private static func survey(_ survey: KernelSurvey) async -> Result<KernelSurvey.Outcome, RelayError> {
        do throws(RelayError) { return .success(try await survey.run()) } catch { return .failure(error) }
    }

    /// What came of each container that has no new kernel.
    private struct Report {
        private var rows: [[String]] = []

        mutating func skip(_ container: String, _ reason: String) {
            rows.append([printable(container, limit: 200), "skipped: \(printable(reason, limit: 500))"])
        }

        func print() {
            if !rows.isEmpty { Swift.print(Table.text(rows)) }
        }
    }
}
