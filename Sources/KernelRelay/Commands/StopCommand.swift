import Host
import RelayLink

extension Subcommand {
    static let stop = Subcommand(
        name: "stop",
        summary: "end every kernel, every gate and relayd",
        usage: """
            usage: relayd stop [--grace SECONDS]

              --grace SECONDS   what kernels get between SIGTERM and SIGKILL (2.5)

            Returns when nothing is left. Where no relayd runs, there is nothing to do.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--grace"])
        let seconds = try arguments.value("--grace").map { text throws(HostError) in
            guard let seconds = Double(text), (0...600).contains(seconds) else {
                throw HostError(.usage, "--grace takes 0 to 600 seconds")
            }
            return seconds
        }
        try arguments.finish()
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        let client: ControlClient
        do throws(HostError) {
            client = try ControlClient(folder)
        } catch {
            print("no relayd runs")
            return 0
        }
        let grace = Int64((seconds ?? 2.5) * 1000)
        _ = try await client.ask(.stop(request: 1, graceMilliseconds: grace))
        // It has answered; its process ends a moment later, and with it the lock.
        for _ in 0..<500 {
            if try FileLock(trying: folder.serveLock) != nil {
                print("stopped")
                return 0
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw HostError(.relaydRunning, "its kernels are ended, and it is not")
    }
}
