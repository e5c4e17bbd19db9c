import RelayLink

extension Engine {
    /// The one container that carries these labels: the one that runs, where several do not. While compose makes a
    /// container anew there are two of them for a moment, and only one runs.
    func container(by reference: ContainerReference) async throws(RelayError) -> Container {
        let found = try await containers(by: reference)
        let up = found.filter(\.isUp)
        if up.count > 1 {
            let names = up.map(\.name).sorted().joined(separator: ", ")
            throw RelayError(.containerAmbiguous, RelayLink.printable(reference.text), cause: names)
        }
        // The newest comes first.
        guard let one = up.first ?? found.first else {
            throw RelayError(
                .containerMissing, RelayLink.printable(reference.text),
                cause: "none is labelled \(RelayLink.printable(reference.filters.joined(separator: " and ")))"
            )
        }
        return one
    }

    /// All that carry these labels, running or not, the newest first.
    package func containers(by reference: ContainerReference) async throws(RelayError) -> [Container] {
        let ids = try await ids(labelled: reference.filters)
        var found: [Container] = []
        for id in ids.prefix(Tuning.mostLabelled) {
            do throws(RelayError) {
                found.append(try await named(id))
            } catch {
                // It went between the two questions.
                if error.code != .containerMissing { throw error }
            }
        }
        if case .label = reference { return found }
        return found.filter { !$0.isOneOff }
    }

    /// The ids of all that carry these labels, the newest first.
    ///
    /// - Parameter running: those alone that run, or are paused.
    func ids(labelled filters: [String], running: Bool = false) async throws(RelayError) -> [String] {
        let words = ["ps"] + (running ? [] : ["--all"]) + ["--no-trunc", "--format", "{{.ID}}"]
        let outcome = try await command(words + filters.flatMap { ["--filter", "label=\($0)"] }).run()
        guard outcome.succeeded else { throw await explain(outcome, .engineFailed, "ps") }
        return outcome.text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// What could have been meant by a reference that leads nowhere, as it would have to be written; nothing where that
    /// cannot be found out.
    package func names(like reference: ContainerReference) async -> [String] {
        switch reference {
        case .name: await names()
        case .label: []
        case .service: await services()
        }
    }

    private func services() async -> [String] {
        let fields = [Labels.composeProject, Labels.composeService].map { "{{.Label \"\($0)\"}}" }
        let words = ["ps", "--all", "--filter", "label=\(Labels.composeNumber)", "--format"]
        guard let outcome = try? await command(words + [fields.joined(separator: "/")]).run(),
            outcome.succeeded
        else { return [] }
        let names = outcome.text.split(whereSeparator: \.isNewline).prefix(Tuning.mostNames)
        return Set(names.map { "compose:\(RelayLink.printable(String($0)))" }).sorted()
    }
}
