import Glibc
import RelayLink

/// Keeps a container's files as an image that is otherwise as the one that the container was made of.
///
/// `commit` alone would put the container's whole configuration into the image: the labels by which `relayd down` knows
/// what it may remove, the command that only waits, ports, and the values of variables, which may be secrets. No client can
/// take these out again. So an image is loaded that consists of a configuration and of the names of the layers that the
/// engine has from the commit.
package struct Snapshot: Sendable {
    package let engine: Engine
    package let name: String
    package var tag: String?
    /// Takes a name from an image that is no snapshot of this container.
    package var replaces: Bool

    package struct Made: Sendable {
        package let container: String
        package let tag: String
        package let id: String
        /// Nothing of the container's configuration is in it.
        package let isBare: Bool
    }

    package init(engine: Engine, name: String, tag: String? = nil, replaces: Bool = false) {
        self.engine = engine
        self.name = name
        self.tag = tag
        self.replaces = replaces
    }

    package func take() async throws(RelayError) -> Made {
        let container = try await engine.container(name)
        let tag = try Self.whole(tag ?? Self.usualTag(container.name, at: time(nil)))
        if let there = try await engine.image(tag), there.snapshotOf != container.name, !replaces {
            throw RelayError(.imageForeign, RelayLink.printable(tag))
        }
        let base = try await origin(of: container)
        // Not with this task, which may be cancelled: a client that is killed leaves the engine at work, and what comes of
        // that has the container's variables in it.
        let committing = Task { () async -> Result<String, RelayError> in
            do throws(RelayError) { return .success(try await commit(container, base)) } catch {
                return .failure(error)
            }
        }
        let committed = try await committing.value.get()
        do throws(RelayError) {
            guard !Task.isCancelled else {
                throw RelayError(.engineFailed, "commit \(container.name)", cause: "interrupted")
            }
            return try await finish(committed, base, container, as: tag)
        } catch {
            await remove(committed)
            throw error
        }
    }

    /// Also when this task was cancelled: commands of a cancelled task are killed.
    private func remove(_ committed: String) async {
        await Task { _ = try? await engine.command(["image", "rm", committed]).run() }.value
    }

    private func finish(
        _ committed: String, _ base: ImageRecord, _ container: Container, as tag: String
    ) async throws(RelayError) -> Made {
        guard let layers = try await engine.image(committed)?.layers else {
            throw RelayError(.engineFailed, "commit \(container.name)", cause: "its image is not there")
        }
        let config = base.config(layers: layers, snapshotOf: container.name)
        try await load(ImageArchive.bytes(config: config, layers: layers.count, tag: tag))
        if let made = try await engine.image(tag), made.layers == layers, made.id != committed {
            // Its layers are the new image's, and stay.
            await remove(committed)
            return Made(container: container.name, tag: tag, id: made.id, isBare: true)
        }
        // An engine that wants the layers themselves. Then what can be set is, and the rest is told.
        let outcome = try await engine.command(["tag", committed, tag]).run()
        guard outcome.succeeded else { throw await engine.explain(outcome, .engineFailed, "tag \(tag)") }
        return Made(container: container.name, tag: tag, id: committed, isBare: false)
    }

    // MARK: - What the engine is asked for

    private func origin(of container: Container) async throws(RelayError) -> ImageRecord {
        let asked = ["inspect", "--type", "container", "--format", "{{.Image}}", container.id]
        let outcome = try await engine.command(asked).run()
        let id = outcome.text.trimmingPrefix { $0.isWhitespace }.prefix { !$0.isWhitespace }
        guard outcome.succeeded, !id.isEmpty, let image = try await engine.image(String(id)) else {
            throw await engine.explain(outcome, .engineFailed, "the image of \(container.name)")
        }
        return image
    }

    private func commit(_ container: Container, _ base: ImageRecord) async throws(RelayError) -> String {
        // A label can be emptied, and not taken away.
        let ours = container.labels.keys.filter { $0.hasPrefix(Labels.prefix) }.sorted()
        let changes =
            ours.map { "LABEL \($0)=" } + [
                "LABEL \(Labels.snapshot)=\(container.name)",
                "ENTRYPOINT \(base.words("Entrypoint", none: "[\"\"]"))",
                "CMD \(base.words("Cmd"))",
            ]
        let words = ["commit"] + changes.flatMap { ["--change", $0] } + [container.id]
        let outcome = try await engine.command(words).run(within: Tuning.engineCommits)
        guard outcome.succeeded, let id = outcome.text.split(whereSeparator: \.isWhitespace).last else {
            throw await engine.explain(outcome, .engineFailed, "commit \(container.name)")
        }
        return String(id)
    }

    /// What comes of it is looked for afterwards.
    private func load(_ archive: [UInt8]) async throws(RelayError) {
        let (ours, theirs) = try Pipe.pair()
        do throws(RelayError) {
            try Thread(name: "kr-load") {
                _ = GateDelivery.put(archive, ours)
                close(ours)
            }.detach()
        } catch {
            close(ours)
            close(theirs)
            throw error
        }
        _ = try await engine.command(["load", "--quiet"]).run(within: Tuning.engineCopies, input: theirs)
    }

    // MARK: - The name

    /// With a tag, as the engine would read it.
    package static func whole(_ tag: String) throws(RelayError) -> String {
        try Engine.check(tag, or: .imageMissing)
        let last = tag.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard !tag.contains("@"), !last.isEmpty, !last.hasSuffix(":") else {
            throw RelayError(.imageMissing, "\u{201C}\(RelayLink.printable(tag))\u{201D} cannot be a name")
        }
        return last.contains(":") ? tag : "\(tag):latest"
    }

    /// One of its own for each: nothing is overwritten by surprise. An image's name has small letters.
    package static func usualTag(_ container: String, at seconds: time_t) -> String {
        let moment = Timestamp.text(seconds: seconds, milliseconds: 0).prefix(19)
        let digits = moment.filter(\.isNumber)
        return "kernelrelay-snapshot/\(container.lowercased()):\(digits.prefix(8))-\(digits.suffix(6))"
    }
}
