import Host
import RelayLink

extension Subcommand {
    static let attach = Subcommand(
        name: "attach",
        summary: "write a connection file for a second client of a running kernel",
        usage: """
            usage: relayd attach [KERNEL] [--file PATH]

            KERNEL is an id of `relayd status`, or its beginning; it may be left out when one kernel runs.

              --file PATH   write here, and not to Jupyter's runtime folder

            Prints the path. `jupyter console --existing PATH` then talks to the same kernel as the notebook.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--file"])
        let path = try arguments.value("--file")
        let name = arguments.operand()
        try arguments.finish()
        let client = try ControlClient(RuntimeFolder(environment: CurrentEnvironment.variables))
        guard
            case .connection(_, let kernel, let text) = try await client.ask(
                .connection(request: 1, kernel: name))
        else { return 70 }
        let file =
            try path ?? JupyterFolders(environment: CurrentEnvironment.variables).runtime()
            + "/kernel-relay-\(kernel).json"
        try PrivateFile.write(Array(text.utf8), to: file)
        print(file)
        return 0
    }
}
