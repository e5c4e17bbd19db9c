import Host

extension EngineClient {
    /// The client as it may be shown, a word for each argument.
    package var shown: [String] { ClientWords.masked(command) }

    /// Takes out of what the client said the words that it may have quoted, and passwords in addresses.
    func cleaned(_ text: String) -> String {
        var text = text
        for (word, mask) in zip(command, shown) where word != mask { text.replace(word, with: mask) }
        return ClientWords.withoutPasswords(text)
    }

    /// It is told which engine to ask, by its words or by its environment; nothing is known of that one's place.
    package var namesEngine: Bool {
        let variables = ["DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "CONTAINER_CONNECTION"]
        if variables.contains(where: { environment[$0]?.isEmpty == false }) { return true }
        let options = ["-H", "--host", "--context", "--url", "--connection"]
        return command.contains { word in
            variables.contains { word.contains("\($0)=") }
                || options.contains { word == $0 || word.hasPrefix("\($0)=") }
                || word.hasPrefix("-H") && word.contains("://")
        }
    }
}
