import RelayLink

/// One engine: what runs containers, asked through its own client.
///
/// No answer is ever told apart by its wording, which changes with releases and languages. After a failure,
/// other questions find out what is the matter.
package struct Engine: Sendable {
    package let client: EngineClient
    let patience: Patience
    /// When it is too late for any more.
    private var deadline: ContinuousClock.Instant?

    /// How long is waited for what should be quick.
    package struct Patience: Sendable {
        let answer: Duration
        let gate: Duration
        let copy: Duration
        let interrupted: Duration

        package init(
            answer: Duration = Tuning.engineAnswers, gate: Duration = Tuning.gateSpeaks,
            copy: Duration = Tuning.copyArrives, interrupted: Duration = Tuning.runIsInterrupted
        ) {
            self.answer = answer
            self.gate = gate
            self.copy = copy
            self.interrupted = interrupted
        }
    }

    package init(_ client: EngineClient, patience: Patience = Patience()) {
        self.client = client
        self.patience = patience
    }

    /// The same for one question, all of whose commands together may take so long.
    package func within(_ limit: Duration) -> Engine {
        var engine = self
        engine.deadline = .now + limit
        return engine
    }

    func command(_ words: [String]) -> EngineCommand {
        let left = deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
        return EngineCommand(
            client: client, words: words, limit: min(patience.answer, left ?? patience.answer))
    }

    /// What the engine knows of a container, by what a person wrote for it (``ContainerReference``).
    package func container(_ text: String) async throws(RelayError) -> Container {
        if isHost { return .host }
        let reference = try ContainerReference(text)
        if case .name(let name) = reference { return try await named(name) }
        return try await container(by: reference)
    }

    func named(_ name: String) async throws(RelayError) -> Container {
        let record = try await inspect(name)
        // One that lives in another's network is reached by the other's addresses and ports.
        if let other = record.networkOwner, let owner = try? await inspect(other) {
            return try record.container(network: owner, remoteHost: client.remoteHost)
        }
        return try record.container(network: record, remoteHost: client.remoteHost)
    }

    /// The same, and an error unless it runs.
    package func runningContainer(_ text: String) async throws(RelayError) -> Container {
        try await container(text).mustRun()
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

    /// What containers there are, running or not; none where that cannot be found out.
    package func names() async -> [String] {
        guard !isHost, let outcome = try? await command(["ps", "-a", "--format", "{{.Names}}"]).run(),
            outcome.succeeded
        else { return [] }
        return outcome.text.split(whereSeparator: \.isNewline).prefix(Tuning.mostNames).map {
            RelayLink.printable(String($0))
        }
    }

    /// A name must not be taken for an option, by any client.
    static func check(_ name: String, or code: ErrorCode) throws(RelayError) {
        guard !name.isEmpty, !name.hasPrefix("-"), !name.utf8.contains(0) else {
            throw RelayError(code, "\u{201C}\(RelayLink.printable(name))\u{201D} cannot be a name")
        }
    }
}
