import Host
import RelayLink

extension Subcommand {
    static let status = Subcommand(
        name: "status",
        summary: "list the kernels that run, and how each is reached",
        usage: """
            usage: relayd status [--json]

            STATE is starting, running or ending. ROUTE is how the relay reaches the kernel: line (its own sockets),
            bridge (the container's address) or published (the exposed ports). MESSAGES are those of all channels.
            """
    ) { words in
        var arguments = try Arguments(words, flags: ["--json"])
        let asJSON = arguments.flag("--json")
        try arguments.finish()
        let client = try ControlClient(RuntimeFolder(environment: CurrentEnvironment.variables))
        guard case .status(_, let status) = try await client.ask(.status(request: 1)) else { return 70 }
        print(asJSON ? String(decoding: status.encoded, as: UTF8.self) : table(status))
        return 0
    }
}

private func table(_ status: JSON) -> String {
    let kernels = status.fields?["kernels"]?.list ?? []
    if kernels.isEmpty { return "no kernel runs" }
    var rows = [["KERNEL", "NOTEBOOK", "CONTAINER", "USER", "ROUTE", "STATE", "MESSAGES", "UP"]]
    for kernel in kernels {
        let fields = kernel.fields ?? [:]
        func text(_ name: String) -> String { fields[name]?.text.map { RelayLink.printable($0) } ?? "-" }
        rows.append([
            text("id"), text("notebook"), text("container"), text("user"), text("route"), text("state"),
            String(messages(fields["messages"])), uptime(fields["uptime_seconds"]),
        ])
    }
    return Table.text(rows)
}

private func messages(_ counts: JSON?) -> Int64 {
    let channels = (counts?.fields ?? [:]).values.flatMap { ($0.fields ?? [:]).values }
    return channels.reduce(0) { $0 + ($1.integer ?? 0) }
}

private func uptime(_ seconds: JSON?) -> String {
    guard case .number(let value)? = seconds else { return seconds?.integer.map { "\($0) s" } ?? "-" }
    let whole = Int(value)
    return switch whole {
    case ..<120: "\(whole) s"
    case ..<7200: "\(whole / 60) min"
    default: "\(whole / 3600) h"
    }
}
