import Host
import RelayLink

extension Subcommand {
    static let metrics = Subcommand(
        name: "metrics",
        summary: "print what has been counted and measured, for Prometheus and its like",
        usage: """
            usage: relayd metrics

            OpenMetrics 1.0, the same as /metrics on the status page. docs/operations.md names each figure.
            """
    ) { words in
        try Arguments(words).finish()
        let client = try ControlClient(RuntimeFolder(environment: CurrentEnvironment.variables))
        guard case .metrics(_, let text) = try await client.ask(.metrics(request: 1)) else { return 70 }
        print(text, terminator: "")
        return 0
    }
}
