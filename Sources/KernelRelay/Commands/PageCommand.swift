import Host
import RelayLink

extension Subcommand {
    static let page = Subcommand(
        name: "page",
        summary: "print the address of the status page, and open it where there is none",
        usage: """
            usage: relayd page [--http [ADDRESS:]PORT]

            The page shows the kernels as they are, and /metrics, /status.json and /events beside it are for programs. It
            is for reading alone. Without --http it is on 127.0.0.1, at any free port. On another address it asks for a
            token, which is in what this prints: whoever has the whole line may read.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--http"])
        let http = try arguments.value("--http")
        try arguments.finish()
        let client = try ControlClient(RuntimeFolder(environment: CurrentEnvironment.variables))
        guard case .page(_, let url) = try await client.ask(.page(request: 1, address: http)) else {
            return 70
        }
        print(url)
        return 0
    }
}
