import Host
import RelayLink

extension Subcommand {
    static let stop = Subcommand(
        name: "stop",
        summary: "end every kernel, every gate and relayd",
        usage: """
            usage: relayd stop [--grace SECONDS]

              --grace SECONDS   what kernels get between SIGTERM and SIGKILL (2.5)

            Returns when nothing is left. Where no relayd runs, there is nothing to do. What Jupyter has open it starts again,
            and relayd with it: `relayd drain` before keeps new kernels from starting, until `relayd drain --off`.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--grace"])
        let grace = try GraceOption.milliseconds(&arguments)
        try arguments.finish()
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        let client: ControlClient
        do throws(HostError) {
            client = try ControlClient(folder)
        } catch {
            print("no relayd runs")
            return 0
        }
        // A relayd that cannot say how it is can still be stopped.
        let report = try? await client.ask(.status(request: 1, history: false))
        _ = try await client.ask(.stop(request: 2, graceMilliseconds: grace))
        // It has answered; its process ends a moment later, and with it the lock.
        for _ in 0..<500 {
            if try FileLock(trying: folder.serveLock) != nil {
                print((["stopped"] + aftermath(report)).joined(separator: "\n"))
                return 0
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw HostError(.relaydRunning, "its kernels are ended, and it is not")
    }
}

/// What was ended, and who will start it again.
private func aftermath(_ report: ControlReport?) -> [String] {
    guard case .status(_, let report, _)? = report else { return [] }
    let count = (report.fields?["kernels"]?.list ?? []).filter {
        ["starting", "running"].contains($0.fields?["state"]?.text)
    }.count
    guard count > 0 else { return [] }
    let ended = count == 1 ? "1 kernel was ended" : "\(count) kernels were ended"
    let other =
        count == 1 ? "If its notebook is open, Jupyter starts it" : "Jupyter starts those of open notebooks"
    let isDraining = report.fields?["draining"]?.flag ?? false
    return [
        isDraining
            ? "\(ended)."
            : "\(ended). \(other) again, and relayd with it; `relayd drain` before keeps it from that."
    ]
}
