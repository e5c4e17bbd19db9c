import Glibc
import Host
import RelayLink

extension Subcommand {
    static let doctor = Subcommand(
        name: "doctor",
        summary: "find out what is in the way of a kernel, and what mends it",
        usage: """
            usage: relayd doctor [--docker CLIENT] [--user USER] [--cmd COMMAND] [--json] [--report FILE] [CONTAINER]

            Looks at this host and its engine; with CONTAINER at that, too, and starts a kernel in it for one sum.
            ✓ is well, ! should be looked at, ✗ fails, with what mends it below, – was skipped. Exits with 69 when
            something fails.

              --user USER     who the kernel is in the container; `host`: your uid and gid
              --cmd COMMAND   the kernel's command, as `relayd add` takes it
              --json          the same as JSON
              --report FILE   write what somebody who helps needs to know, without secrets; read it before you send it
            \(EngineOption.usage)
            """
    ) { words in
        var arguments = try Arguments(
            words, options: ["--docker", "--user", "--cmd", "--report"], flags: ["--json"])
        let engine = try EngineOption.read(&arguments)
        let user = try arguments.value("--user").map { $0 == "host" ? "\(getuid()):\(getgid())" : $0 }
        let command = try arguments.value("--cmd")
        let file = try arguments.value("--report")
        let wantsJSON = arguments.flag("--json")
        let container = arguments.operand()
        try arguments.finish()
        if container == nil, user != nil || command != nil {
            throw HostError(.usage, "--user and --cmd need a container")
        }
        signal(SIGPIPE, SIG_IGN)
        let subject = Chart.Subject(
            engine: engine, environment: CurrentEnvironment.variables, container: container, user: user,
            command: command)
        let visit = Visit(subject: subject, wantsJSON: wantsJSON, file: file)
        return try await Interruption.cancelling { try await visit.pay() }
    }
}

/// One run of the doctor: examines, tells, writes.
private struct Visit: Sendable {
    let subject: Chart.Subject
    let wantsJSON: Bool
    let file: String?

    func pay() async throws -> Int32 {
        let colours =
            isatty(STDOUT_FILENO) == 1 && (subject.environment["NO_COLOR"] ?? "").isEmpty
            && subject.environment["TERM"] != "dumb"
        let examination = Examination(Examination.checks(container: subject.container != nil))
        let (entries, chart) = await examination.run(on: Chart(subject)) { entry, chart in
            if wantsJSON { return }
            let redactor = Redactor(chart.secrets)
            for line in DoctorReport.lines(entry, colours: colours) { print(redactor.clean(line)) }
            fflush(nil)
        }
        // Whoever interrupts gets no verdict; what was begun has been undone.
        if Task.isCancelled { return 130 }
        let running = subject.container == nil ? await chart.runningNames() : []
        let report = DoctorReport(entries: entries, container: subject.container, running: running)
        if wantsJSON {
            print(String(decoding: Redactor(chart.secrets).clean(report.json).encoded, as: UTF8.self))
        } else {
            print("\n\(report.summary)")
            if !running.isEmpty { print("\nFor one that runs:") }
            for name in running { print("relayd doctor \(ShellWord.quote(name))") }
        }
        if let file {
            try ReportFile(report, chart).write(to: file)
            Complaint.say(
                "relayd: the report is in \(RelayLink.printable(file, limit: 1000)); read it before you send it"
            )
        }
        return report.isHealthy ? 0 : 69
    }
}
