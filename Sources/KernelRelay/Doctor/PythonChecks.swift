import Host
import RelayLink

/// The interpreter that a kernel will be, and ipykernel in it.
extension Check {
    static let interpreter: [Check] = [python, ipykernel]

    static let python = Check("python", needs: ["gate"], limit: Tuning.checkAtMost * 2) { chart in
        guard let container = chart.container else { return .skipped("there is no container") }
        let names: [String]
        do throws(HostError) {
            names = try interpreters(in: chart.subject.command)
        } catch {
            return .bad(
                "--cmd cannot be understood: \(error.context)", ErrorCode.command.entry.remedy,
                code: "KR-COMMAND")
        }
        if names.isEmpty { return .skipped("--cmd names another program") }
        for name in names {
            let asked = chart.exec(container, [name, "-c", PythonSurvey.script])
            let answer: EngineCommand.Outcome
            do throws(RelayError) { answer = try await asked.run() } catch { return .bad(error) }
            if let survey = PythonSurvey(answer: answer.text), answer.succeeded {
                chart.python = survey
                let text = "\(survey.version), \(survey.executable)"
                guard PythonSurvey.isOlder(survey.version, than: 3, 7) else { return .good(text) }
                return .warning("\(text): older than what today's ipykernel needs")
            }
            // The codes by which an exec says that the program is not there.
            guard [.code(126), .code(127)].contains(answer.status) else {
                return .bad(
                    "\(RelayLink.printable(name)) does not work: \(answer.reason)",
                    chart.subject.typedExec(container.name, [name, "-c", "pass"]))
            }
        }
        let shown = names.map { RelayLink.printable($0) }.joined(separator: " nor ")
        let install = await Distribution.of(container, chart)?.install
        return .bad(
            names.count > 1
                ? "neither \(shown) is in the container; of a kernel that is no Python say --cmd"
                : "\(shown) is not in the container",
            install.map { chart.subject.typedExec(container.name, as: "root", $0) }
                ?? "use an image with Python and ipykernel, or name another kernel: --cmd",
            code: chart.subject.command == nil
                ? ErrorCode.pythonMissing.rawValue : GateErrorCode.commandNotFound.rawValue)
    }

    /// The names to be tried, as at a launch; none where the command is no Python.
    package static func interpreters(in command: String?) throws(HostError) -> [String] {
        guard let command else { return ["python3", "python"] }
        guard let first = try CommandWords.read(command).first else { return [] }
        let name = first.split(separator: "/").last ?? ""
        return name.hasPrefix("python") || name.hasPrefix("pypy") ? [first] : []
    }

    static let ipykernel = Check("ipykernel", needs: ["python"]) { chart in
        guard let container = chart.container, let python = chart.python else {
            return .skipped("--cmd names another program")
        }
        if let command = chart.subject.command, !command.contains("ipykernel") {
            return .skipped("--cmd does not start it")
        }
        let distribution = python.ipykernel == nil ? await Distribution.of(container, chart) : nil
        return judge(python, name: container.name, distribution, chart.subject)
    }

    package static func judge(
        _ python: PythonSurvey, name: String, _ distribution: Distribution?, _ subject: Chart.Subject
    ) -> Finding {
        if let version = python.ipykernel {
            let text = [version, python.location].compactMap(\.self).joined(separator: ", ")
            guard PythonSurvey.isOlder(version, than: 6, 0) else { return .good(text) }
            return .warning(
                "\(text): its interrupts by message wait for the running cell", pip(python, name, subject))
        }
        return .bad(
            "\(python.executable) has no ipykernel", install(python, name, distribution, subject),
            code: ErrorCode.ipykernelMissing.rawValue)
    }

    private static func install(
        _ python: PythonSurvey, _ name: String, _ distribution: Distribution?, _ subject: Chart.Subject
    ) -> String {
        // The distribution's own Python takes the distribution's package.
        let isItsOwn = python.executable.hasPrefix("/usr/bin/")
        if isItsOwn, python.isManaged || !python.hasPip, let distribution {
            return subject.typedExec(name, as: "root", distribution.install)
        }
        let command = pip(python, name, subject)
        if python.hasPip { return command }
        let user = python.isWritable ? nil : "root"
        return "\(subject.typedExec(name, as: user, [python.executable, "-m", "ensurepip"])) && \(command)"
    }

    private static func pip(_ python: PythonSurvey, _ name: String, _ subject: Chart.Subject) -> String {
        let force = python.isManaged ? ["--break-system-packages"] : []
        let words = [python.executable, "-m", "pip", "install"] + force + ["--upgrade", "ipykernel"]
        return subject.typedExec(name, as: python.isWritable ? nil : "root", words)
    }
}

extension Distribution {
    /// By a copy of one small file: the image may have neither a shell nor `cat`.
    fileprivate static func of(_ container: Container, _ chart: Chart) async -> Distribution? {
        let asked = chart.subject.engine.command([
            "cp", "--follow-link", "\(container.id):/etc/os-release", "-",
        ])
        guard let answer = try? await asked.run(), answer.succeeded else { return nil }
        return Distribution(release: answer.text)
    }
}
