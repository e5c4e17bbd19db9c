import Host
import RelayLink

extension Subcommand {
    static let end = Subcommand(
        name: "end",
        summary: "end a kernel, and tell its notebook",
        usage: """
            usage: relayd end KERNEL... [--grace SECONDS]

            KERNEL is an id of `relayd status`, or its beginning.

              --grace SECONDS   what it gets between SIGTERM and SIGKILL (2.5)

            Returns when it has ended, with all that it started. Its notebook says so at the next cell, with
            KR-KERNEL-ENDED, and has a new kernel at the one after.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--grace"])
        let grace = try GraceOption.milliseconds(&arguments)
        var names: [String] = []
        while let name = arguments.operand() { names.append(name) }
        try arguments.finish()
        guard !names.isEmpty else { throw HostError(.usage, "which kernel? `relayd status` names them") }
        let client = try ControlClient(RuntimeFolder(environment: CurrentEnvironment.variables))
        for (request, name) in names.enumerated() {
            _ = try await client.ask(
                .end(request: Int64(request), kernel: name, graceMilliseconds: grace))
            print("ended \(name)")
        }
        return 0
    }
}
