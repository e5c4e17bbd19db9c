import Glibc
import Host
import RelayLink

extension Subcommand {
    static let logs = Subcommand(
        name: "logs",
        summary: "show what relayd has noted, or what a kernel wrote to stderr",
        usage: """
            usage: relayd logs [-f] [--json] [--lines N] [KERNEL]
                   relayd logs --stderr [KERNEL]

            KERNEL is an id of `relayd status`, or its beginning. A line is a time, an event, and name=value.

              -f, --follow   go on with what comes, also when relayd is started again, until Ctrl-C
              --json         each entry as an object on a line of its own
              --lines N      the last N that relayd knows (100)
              --stderr       the last 64 KiB that the kernel wrote to stderr, also when it has ended; without KERNEL of
                             the only one

            Where no relayd runs, the last lines of relayd.log are shown.
            """
    ) { words in
        var arguments = try Arguments(
            words, options: ["--lines"], flags: ["-f", "--follow", "--json", "--stderr"])
        let isShort = arguments.flag("-f")
        let follow = arguments.flag("--follow") || isShort
        let asJSON = arguments.flag("--json")
        let isStderr = arguments.flag("--stderr")
        let lines = try arguments.value("--lines").map { text throws(HostError) in
            guard let count = Int64(text), (0...1_000_000).contains(count) else {
                throw HostError(.usage, "--lines takes a number up to 1000000")
            }
            return count
        }
        let kernel = arguments.operand()
        try arguments.finish()
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        if isStderr {
            guard !follow, !asJSON, lines == nil else {
                throw HostError(.usage, "--stderr goes with KERNEL alone")
            }
            return try await showStderr(folder, kernel)
        }
        let wanted = ControlRequest.Logs(kernel: kernel, lines: lines ?? 100, follow: follow)
        try await LogShow(folder: folder, wanted: wanted, asJSON: asJSON).run()
        return 0
    }
}

private func showStderr(_ folder: RuntimeFolder, _ kernel: String?) async throws -> Int32 {
    let client = try ControlClient(folder)
    let report = try await client.ask(.stderr(request: 1, kernel: kernel))
    guard case .stderr(_, let id, let data, let before) = report else {
        throw HostError(.relaydProtocol, "it answered another question")
    }
    if before > 0 { Complaint.say("[\(before) bytes of \(RelayLink.printable(id)) before these are gone]") }
    // To a file as it was; a terminal would obey what stands in it.
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let text = isTerminal ? Array(harmless(String(decoding: data, as: UTF8.self)).utf8) : data
    return StandardOutput.write(text) ? 0 : 74
}

/// Without what a terminal would do something upon.
private func harmless(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        RelayLink.printable(
            String(line).replacing("\t", with: "    ").replacing("\r", with: ""), limit: Tuning.stderrTail)
    }.joined(separator: "\n")
}
