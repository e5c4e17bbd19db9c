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
            KR-KERNEL-ENDED, and has a new kernel at the one after. One whose gate does not answer, in a container that
            is paused for example, is not ended, and that is said. A launch that is under way is given up.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--grace"])
        let grace = try GraceOption.milliseconds(&arguments)
        var names: [String] = []
        while let name = arguments.operand() { names.append(name) }
        try arguments.finish()
        guard !names.isEmpty else { throw HostError(.usage, "which kernel? `relayd status` names them") }
        guard !names.contains("") else { throw HostError(.usage, "a kernel's id is not empty") }
        let client = try ControlClient(RuntimeFolder(environment: CurrentEnvironment.variables))
        var code: Int32 = 0
        for (request, name) in names.enumerated() {
            do throws(Refusal) {
                _ = try await client.ask(
                    .end(request: Int64(request), kernel: name, graceMilliseconds: grace))
                print("ended \(name)")
            } catch {
                Complaint.say("relayd: \(RelayLink.printable(name)) is not ended: \(error)")
                code = ExitStatus.of(error.code) ?? ExitStatus.usual
            }
        }
        return code
    }
}
