import Host
import RelayLink

/// The engine's own commands, as a person types them.
struct CommandLineText {
    private let client: String
    private let container: String
    private let user: String?
    /// Where the container is gone with its kernel, another of the same image answers.
    private let image: String?
    private let isOnHost: Bool
    /// What starts the service of compose that was asked for.
    let startsService: String?

    init(_ facts: LaunchFacts) {
        client = ClientWords.masked(facts.client).map(ShellWord.quote).joined(separator: " ")
        container = ShellWord.quote(RelayLink.printable(facts.container))
        user = facts.user
        isOnHost = facts.isOnHost
        image = facts.making.map { ShellWord.quote(RelayLink.printable($0.image)) }
        if case .service(_, let service)? = try? ContainerReference(facts.wanted) {
            startsService = "\(client) compose up -d \(ShellWord.quote(service))"
        } else {
            startsService = nil
        }
    }

    /// `docker COMMAND CONTAINER`.
    func on(_ command: String) -> String { "\(client) \(command) \(container)" }

    /// The same of another container.
    func on(_ command: String, _ name: String) -> String {
        "\(client) \(command) \(ShellWord.quote(RelayLink.printable(name)))"
    }

    /// `docker exec -u USER CONTAINER WORDS`.
    func exec(_ words: [String], as other: String? = nil) -> String {
        let name = (other ?? user).map { " -u \(ShellWord.quote($0))" } ?? ""
        if let image, let program = words.first {
            let rest = words.dropFirst().map { " \(ShellWord.quote($0))" }.joined()
            return "\(client) run --rm\(name) --entrypoint \(ShellWord.quote(program)) \(image)\(rest)"
        }
        return inside(words, name)
    }

    private func inside(_ words: [String], _ name: String) -> String {
        "\(client) exec\(name) \(container) \(words.map(ShellWord.quote).joined(separator: " "))"
    }

    /// Sends a signal to a process that lives, and with it its container; of an image's programs that has `kill` least
    /// often which its shell has.
    func signal(_ name: String, _ pid: Int32) -> String {
        let kill = "kill -\(name) \(pid)"
        if isOnHost { return kill }
        return inside(["sh", "-c", kill], user.map { " -u \(ShellWord.quote($0))" } ?? "")
    }

    /// A command that is about no container.
    func plain(_ command: String) -> String { "\(client) \(command)" }
}
