import Glibc
import Host
import RelayLink

extension Subcommand {
    static let ports = Subcommand(
        name: "ports",
        summary: "print flags for your own `docker run`, or a container's ports",
        usage: """
            usage: relayd ports [--json]
                   relayd ports [--docker CLIENT] [--json] CONTAINER

            Without a container: the flags that make a `docker run` of your own ready for kernels, with ports that
            are free now: docker run -d $(relayd ports) IMAGE. With one: which of its ports is where on this host.

              --json          the same as JSON
            \(PortOptions.usage)
            \(EngineOption.usage)
            """
    ) { words in
        var arguments = try Arguments(
            words, options: PortOptions.names.union(["--docker"]), flags: ["--json"])
        let engine = try EngineOption.read(&arguments)
        let chosen = try PortOptions.chosen(&arguments)
        let name = arguments.operand()
        let wantsJSON = arguments.flag("--json")
        try arguments.finish()
        if let name {
            let container = try await engine.container(name)
            let report = PortReport(container, chosen: chosen)
            let answer: JSON = .object([
                "schema_version": 1, "container": .string(container.name),
                "host_network": .bool(report.usesHostNetwork), "ports": .object(report.json),
            ])
            print(wantsJSON ? String(decoding: answer.encoded, as: UTF8.self) : report.text)
            return 0
        }
        let flags = try await RunFlags.draw(
            StandardPorts.byChannel.merging(chosen) { $1 }, environment: engine.client.environment)
        if wantsJSON {
            let words = flags.flags.flatMap { $0 }.map { JSON.string($0) }
            let answer: JSON = .object(["schema_version": 1, "flags": .array(words)])
            print(String(decoding: answer.encoded, as: UTF8.self))
        } else {
            let lines = flags.flags.map { $0.map(ShellWord.quote).joined(separator: " ") }
            // A person pastes lines; what takes them as `$(relayd ports)` would take the line ends for words.
            print(lines.joined(separator: isatty(STDOUT_FILENO) == 1 ? " \\\n" : " "))
        }
        return 0
    }
}
