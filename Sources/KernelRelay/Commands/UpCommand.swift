import Host
import RelayLink

extension Subcommand {
    static let up = Subcommand(
        name: "up",
        summary: "start a container that is ready for kernels",
        usage: """
            usage: relayd up [--name NAME] [OPTIONS] IMAGE [-- ARGUMENTS FOR RUN]

            Its five ports are published on 127.0.0.1 and the gate is mounted in it. It runs nothing but a wait,
            whatever the image has in it.

              --name NAME     the container's name (kernelrelay- and the image's)
              --keep-command  run the image's own command instead of the wait
              --json          say what was made as JSON
            \(LimitOptions.usage)
            \(PortOptions.usage)
            \(EngineOption.usage)
            """
    ) { words in
        var arguments = try Arguments(
            words, options: PortOptions.names.union(LimitOptions.names).union(["--name", "--docker"]),
            flags: ["--keep-command", "--json"])
        // What `up` made it must find again, to see it stay and to take it away.
        if arguments.rest.contains(where: { $0 == "--name" || $0.hasPrefix("--name=") }) {
            throw HostError(.usage, "--name belongs before the image")
        }
        let limits = try LimitOptions(&arguments)
        let keepsCommand = arguments.flag("--keep-command")
        if keepsCommand { try limits.checkKeptCommand() }
        let up = Upbringing(
            engine: try EngineOption.read(&arguments), image: try arguments.operand("IMAGE"),
            name: try arguments.value("--name"), byChannel: try PortOptions.read(&arguments),
            keepsCommand: keepsCommand, lifetimes: limits.lifetimes, mostKernels: limits.mostKernels,
            arguments: limits.runFlags + arguments.rest,
            whenPulling: { Complaint.say("relayd: \(printable($0)) is not here; the engine fetches it") })
        let wantsJSON = arguments.flag("--json")
        try arguments.finish()
        let (container, flags) = try await Interruption.cancelling { try await up.bringUp() }
        if wantsJSON {
            let made: JSON = .object([
                "schema_version": 1, "container": .string(container.name), "id": .string(container.id),
                "image": .string(container.image), "ports": .object(PortReport(container).json),
            ])
            print(String(decoding: made.encoded, as: UTF8.self))
        } else {
            let hosts = flags.ports.map { String($0.host) }.joined(separator: ", ")
            print(
                """
                \(container.name) runs; its ports are on 127.0.0.1: \(hosts)
                relayd add --container \(ShellWord.quote(container.name))
                """)
        }
        return 0
    }
}
