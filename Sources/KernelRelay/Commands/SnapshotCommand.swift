import Host
import RelayLink

extension Subcommand {
    static let snapshot = Subcommand(
        name: "snapshot",
        summary: "keep a container's state as an image",
        usage: """
            usage: relayd snapshot [--docker CLIENT] [--replace] [--json] CONTAINER [TAG]

            The image has the container's files, and everything else as the image that the container was made of: no
            variable, port, label or command that was given to `run`. Its processes stand still for as long as it takes.
            Volumes and mounts are not in it. TAG is else kernelrelay-snapshot/CONTAINER:TIME.

              --replace       even if an image of that name is there that is no snapshot of this container
              --json          say what was made as JSON
            \(EngineOption.usage)
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--docker"], flags: ["--replace", "--json"])
        let engine = try EngineOption.read(&arguments)
        let name = try arguments.operand("CONTAINER")
        let snapshot = Snapshot(
            engine: engine, name: name, tag: arguments.operand(), replaces: arguments.flag("--replace"))
        let wantsJSON = arguments.flag("--json")
        try arguments.finish()
        let made = try await Interruption.cancelling {
            try await withTaskCancellationHandler {
                try await snapshot.take()
            } onCancel: {
                Complaint.say("relayd: the engine finishes what it has begun; then that is removed")
            }
        }
        if !made.isBare {
            Complaint.say(
                """
                relayd: this engine makes no image without the container's own settings: its variables and ports are in the image
                """)
        }
        if wantsJSON {
            let json: JSON = .object([
                "schema_version": 1, "container": .string(made.container), "image": .string(made.tag),
                "id": .string(made.id), "bare": .bool(made.isBare),
            ])
            print(String(decoding: json.encoded, as: UTF8.self))
        } else {
            print("\(made.tag) is the state of \(made.container)\nrelayd up \(ShellWord.quote(made.tag))")
        }
        return 0
    }
}
