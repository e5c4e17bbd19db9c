import Glibc
import Host
import RelayLink

extension Subcommand {
    static let status = Subcommand(
        name: "status",
        summary: "list the kernels that run, and how each of them is",
        usage: """
            usage: relayd status [--json] [--watch [SECONDS]]

              --watch   show it again every two seconds, or every SECONDS, until Ctrl-C
              --json    the whole report; with --watch one on each line

            ROUTE is how the relay reaches the kernel: line (its own sockets), bridge (the container's address),
            published (the exposed ports) or tunnel (the engine's exec). NOW and P99 are round trips of relayd's own
            heartbeats to it. MSG/S and BYTES/S are those of all channels, without heartbeats. What is wrong, and what
            mends it, stands below the table.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--watch"], flags: ["--json", "--watch"])
        let asJSON = arguments.flag("--json")
        let assigned = try arguments.value("--watch")
        let isWatching = arguments.flag("--watch") || assigned != nil
        let pause = try (assigned ?? (isWatching ? arguments.operand() : nil)).map { text throws(HostError) in
            guard let seconds = Double(text), (0.1...86_400).contains(seconds) else {
                throw HostError(.usage, "--watch takes 0.1 to 86400 seconds")
            }
            return Duration.seconds(seconds)
        }
        try arguments.finish()
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        guard isWatching else {
            let report = try await StatusQuestion.ask(folder, history: false)
            print(
                asJSON
                    ? String(decoding: report.encoded, as: UTF8.self) : table(report).joined(separator: "\n"))
            return 0
        }
        try await watch(folder, every: pause ?? .seconds(2), asJSON: asJSON)
        return 0
    }
}

private func table(_ report: JSON) -> [String] {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let look = Look(environment: CurrentEnvironment.variables, isTerminal: isTerminal)
    let width = isTerminal ? ScreenSize(of: STDOUT_FILENO)?.columns : nil
    return StatusTable.lines(Reading(report), width: width, look: look).map {
        $0.rendered(width: width ?? .max, look: look)
    }
}

/// Until somebody ends it. A relayd that is started again meanwhile is found again.
private func watch(_ folder: RuntimeFolder, every pause: Duration, asJSON: Bool) async throws {
    let mayRepaint = isatty(STDOUT_FILENO) == 1 && CurrentEnvironment.variables["TERM"] != "dumb"
    while true {
        var lines: [String]
        do {
            let report = try await StatusQuestion.ask(folder, history: false)
            lines = asJSON ? [String(decoding: report.encoded, as: UTF8.self)] : table(report)
        } catch {
            // What reads the reports must not be given a sentence.
            if asJSON { Complaint.say("relayd: \(error)") }
            lines = asJSON ? [] : ["\(error)"]
        }
        if mayRepaint, !asJSON {
            lines = Array(lines.prefix(max(1, (ScreenSize(of: STDOUT_FILENO)?.rows ?? .max) - 1)))
            // From the top, each line to its end, and what was below: the screen is never empty in between.
            let text = "\u{1B}[H" + lines.map { "\($0)\u{1B}[K\n" }.joined() + "\u{1B}[J"
            guard StandardOutput.write(Array(text.utf8)) else { return }
        } else {
            guard StandardOutput.say((asJSON ? [] : ["--- \(Timestamp.now())"]) + lines) else { return }
        }
        try await Task.sleep(for: pause)
    }
}
