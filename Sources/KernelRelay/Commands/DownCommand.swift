import Host
import RelayLink

extension Subcommand {
    static let down = Subcommand(
        name: "down",
        summary: "remove a container that `relayd up` made",
        usage: """
            usage: relayd down [--docker CLIENT] [--json] NAME

            Removes the container with what runs in it, and its volumes that have no name. Refuses any container
            that `relayd up` did not make.

              --json          say what was removed as JSON
            \(EngineOption.usage)
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--docker"], flags: ["--json"])
        let engine = try EngineOption.read(&arguments)
        let name = try arguments.operand("NAME")
        let wantsJSON = arguments.flag("--json")
        try arguments.finish()
        let container = try await engine.takeDown(name)
        if wantsJSON {
            let gone: JSON = .object([
                "schema_version": 1, "container": .string(container.name), "id": .string(container.id),
            ])
            print(String(decoding: gone.encoded, as: UTF8.self))
        } else {
            print("\(container.name) is removed")
        }
        return 0
    }
}
