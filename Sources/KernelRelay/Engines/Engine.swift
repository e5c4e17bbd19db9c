import RelayLink

/// One engine: what runs containers, asked through its own client.
///
/// No answer is ever told apart by its wording, which changes with releases and languages. After a failure,
/// other questions find out what is the matter.
package struct Engine: Sendable {
    package let client: EngineClient
    let patience: Patience

    /// How long is waited for what should be quick.
    package struct Patience: Sendable {
        let answer: Duration
        let gate: Duration

        package init(answer: Duration = Tuning.engineAnswers, gate: Duration = Tuning.gateSpeaks) {
            self.answer = answer
            self.gate = gate
        }
    }

    package init(_ client: EngineClient, patience: Patience = Patience()) {
        self.client = client
        self.patience = patience
    }

    func command(_ words: [String]) -> EngineCommand {
        EngineCommand(client: client, words: words, limit: patience.answer)
    }

    /// What the engine knows of a container, by its name or id.
    package func container(_ name: String) async throws(RelayError) -> Container {
        let record = try await inspect(name)
        // One that lives in another's network is reached by the other's addresses and ports.
        if let other = record.networkOwner, let owner = try? await inspect(other) {
            return try record.container(network: owner, remoteHost: client.remoteHost)
        }
        return try record.container(network: record, remoteHost: client.remoteHost)
    }

    /// The same, and an error unless it runs.
    package func runningContainer(_ name: String) async throws(RelayError) -> Container {
        let container = try await container(name)
        switch container.state {
        case .running: return container
        case .paused: throw RelayError(.containerPaused, container.name)
        default:
            throw RelayError(.containerStopped, container.name, cause: "it is \(container.state.rawValue)")
        }
    }

    private func inspect(_ name: String) async throws(RelayError) -> InspectRecord {
        try Self.check(name, or: .containerMissing)
        let outcome = try await command(["inspect", "--type", "container", name]).run()
        if outcome.succeeded { return try InspectRecord(outcome.output, from: "inspect") }
        // Every engine answers a name that it does not know with an empty list.
        let isEmpty = outcome.text.filter { !$0.isWhitespace } == "[]"
        throw await explain(
            outcome, isEmpty ? .containerMissing : .engineFailed, RelayLink.printable(name))
    }

    /// A name must not be taken for an option, by any client.
    static func check(_ name: String, or code: ErrorCode) throws(RelayError) {
        guard !name.isEmpty, !name.hasPrefix("-"), !name.utf8.contains(0) else {
            throw RelayError(code, "\u{201C}\(RelayLink.printable(name))\u{201D} cannot be a name")
        }
    }
}
