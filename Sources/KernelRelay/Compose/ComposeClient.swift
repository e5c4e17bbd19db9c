import Host
import RelayLink

/// How compose is run: as a word of the engine's client, or as a program of its own.
package struct ComposeClient: Sendable {
    /// `docker compose`, or `docker-compose`, with whatever stands before it.
    package let client: EngineClient
    /// The first number of its release. 1 is the one in Python, which differs in what it looks for and prints.
    package let major: Int

    /// The first that answers: the word, then the program.
    package static func find(_ engine: EngineClient) async throws(RelayError) -> ComposeClient {
        let forms = forms(engine.command)
        for form in forms {
            let client = EngineClient(command: form, environment: engine.environment)
            let asked = EngineCommand(client: client, words: ["version"], limit: Tuning.engineAnswers)
            guard let answer = try? await asked.run(), answer.succeeded else { continue }
            return ComposeClient(client: client, major: major(in: answer.text))
        }
        let tried = forms.map { ClientWords.masked($0).joined(separator: " ") }.joined(separator: ", ")
        throw RelayError(.composeMissing, RelayLink.printable(tried))
    }

    /// `sudo docker` has `sudo docker compose` and `sudo docker-compose`.
    package static func forms(_ engine: [String]) -> [[String]] {
        var forms = [engine + ["compose"]]
        let names = ["docker", "podman", "nerdctl"]
        let place = engine.lastIndex { word in names.contains { word == $0 || word.hasSuffix("/\($0)") } }
        if let place {
            var program = engine
            program[place] = "\(engine[place].split(separator: "/").last ?? "docker")-compose"
            forms.append(program)
        }
        return forms
    }

    /// `docker-compose version 1.29.2, build unknown`, `Docker Compose version v2.20.2`.
    package static func major(in text: String) -> Int {
        let words = text.prefix { !$0.isNewline }.split { " ,".contains($0) }
        for word in words {
            let digits = word.drop { $0 == "v" }.prefix { $0.isNumber }
            if word.contains("."), let number = Int(digits) { return number }
        }
        return 2
    }

    func command(_ words: [String]) -> EngineCommand {
        EngineCommand(client: client, words: words, limit: Tuning.composeAnswers)
    }
}
