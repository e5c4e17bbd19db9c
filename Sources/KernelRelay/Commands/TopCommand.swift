import Glibc
import Host
import RelayLink

extension Subcommand {
    static let top = Subcommand(
        name: "top",
        summary: "watch the kernels, and look at one of them closely",
        usage: """
            usage: relayd top [--every SECONDS]

              --every SECONDS   how often relayd is asked (1)

            ? in it lists the keys; q ends it. Where there is no terminal: relayd status --watch.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--every"])
        let pause = try arguments.value("--every").map { text throws(HostError) in
            guard let seconds = Double(text), (0.1...3600).contains(seconds) else {
                throw HostError(.usage, "--every takes 0.1 to 3600 seconds")
            }
            return Duration.seconds(seconds)
        }
        try arguments.finish()
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        let isDumb = ["", "dumb"].contains(CurrentEnvironment.variables["TERM"] ?? "")
        guard !isDumb, let screen = FullScreen() else {
            throw HostError(.terminalMissing)
        }
        return await Top(screen, folder, every: pause ?? .seconds(1)).run()
    }
}
