import Host
import RelayLink

/// A container for one kernel alone, made from an image and removed with the kernel.
///
/// It is known by a label with the kernel's id, so that it is found and removed whatever has become of whoever made
/// it; and where nobody is left to do so it ends by itself, and the engine removes it (`hold --until-unused`).
package struct KernelContainer: Sendable {
    package let engine: Engine
    package let image: String
    /// Further arguments of `run`. They stand before ours, so that what the kernel needs is as it must be.
    package let arguments: [String]
    package let byChannel: [String: UInt16]
    package let kernel: String
    /// How long it stays when nobody has a link to a gate in it.
    package let unusedSeconds: Int64

    package init(
        engine: Engine, image: String, arguments: [String], byChannel: [String: UInt16], kernel: String,
        unusedSeconds: Int64
    ) {
        self.engine = engine
        self.image = image
        self.arguments = arguments
        self.byChannel = byChannel
        self.kernel = kernel
        self.unusedSeconds = unusedSeconds
    }

    package var name: String { "\(Upbringing.usualName(image))-\(kernel)" }

    /// Runs it; an image that is not here is fetched by the engine. What cannot start is removed again.
    package func make() async throws(RelayError) -> Container {
        try Engine.check(image, or: .imageMissing)
        let binary = try await GateBinary.find(engine.client.environment)
        var last = RelayError(.portsTaken, RelayLink.printable(image))
        // Somebody else may take a port in between; then others are drawn.
        for _ in 0..<5 {
            let flags = try RunFlags.draw(byChannel, binary)
            do throws(RelayError) {
                let id = try await run(flags)
                var container = try await started(id)
                container.entrypoint = try await entrypoint()
                return container
            } catch {
                last = error
                await remove()
                guard !flags.ports.allSatisfy({ HostPorts.isFree($0.host) }) else { throw error }
            }
        }
        throw last
    }

    private func run(_ flags: RunFlags) async throws(RelayError) -> String {
        // In front as well: a stray word among the arguments is an image to the engine, and all behind it the command
        // of a container that must be found and removed like any other.
        let known = ["--rm", "--label", label]
        var words = ["run", "--detach", "--name", name] + known + arguments + known
        words += flags.flags.flatMap { $0 } + ["--entrypoint", GatePath.mount, image]
        words += ["hold", "--until-unused", String(unusedSeconds)]
        let outcome = try await engine.command(words).run(within: Tuning.engineRuns)
        let id = outcome.text.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
        if outcome.succeeded, !id.isEmpty { return id }
        if let error = await engine.unreachable() { throw error }
        let place = RelayLink.printable(image)
        if await engine.lacksImage(image) {
            throw RelayError(.imageMissing, place, cause: outcome.reason)
        }
        throw RelayError(.runRefused, place, cause: outcome.reason)
    }

    /// One that ended at once is gone already.
    private func started(_ id: String) async throws(RelayError) -> Container {
        do throws(RelayError) {
            return try await engine.runningContainer(id)
        } catch {
            switch error.code {
            case .containerMissing, .containerStopped:
                throw RelayError(.containerEnded, RelayLink.printable(name), cause: error.cause)
            default: throw error
            }
        }
    }

    /// What the kernel's command is run through, as the engine would have run it had it been the container's own. It
    /// cannot be: that one waits.
    private func entrypoint() async throws(RelayError) -> [String] {
        if let given = RunArguments.entrypoint(in: arguments) {
            // A word to docker, empty for none; podman takes a list as well.
            if given.isEmpty { return [] }
            return given.hasPrefix("[") ? (try? CommandWords.read(given)) ?? [given] : [given]
        }
        guard let record = try await engine.image(image) else {
            throw RelayError(.imageMissing, RelayLink.printable(image))
        }
        return record.entrypoint
    }

    private var label: String { "\(Labels.madeForKernel)=\(kernel)" }

    /// Removes it; does nothing where it is gone, or never came to be.
    package func remove() async {
        let asked = engine.command(["ps", "--all", "--quiet", "--no-trunc", "--filter", "label=\(label)"])
        guard let found = try? await asked.run(), found.succeeded else { return }
        for id in found.text.split(whereSeparator: \.isWhitespace) where id.allSatisfy(\.isHexDigit) {
            _ = try? await engine.command(["rm", "--force", "--volumes", String(id)])
                .run(within: Tuning.engineCopies)
        }
    }
}

extension Engine {
    /// What it says of an image; nothing where it has none of that name.
    func image(_ name: String) async throws(RelayError) -> ImageRecord? {
        let outcome = try await command(["image", "inspect", name]).run()
        if outcome.succeeded { return try ImageRecord(outcome.output) }
        if let error = await unreachable() { throw error }
        return nil
    }

    /// Whether the engine says that it has no such image; not when it says nothing.
    func lacksImage(_ image: String) async -> Bool {
        let asked = command(["image", "inspect", "--format", "{{.Id}}", image])
        guard let answer = try? await asked.run(), !answer.succeeded else { return false }
        return await unreachable() == nil
    }

    /// What images there are, as they are named; none where that cannot be found out.
    package func imageNames() async -> [String] {
        let asked = command(["images", "--format", "{{.Repository}}:{{.Tag}}"])
        guard let outcome = try? await asked.run(), outcome.succeeded else { return [] }
        return outcome.text.split(whereSeparator: \.isNewline).filter { !$0.contains("<none>") }
            .prefix(Tuning.mostNames).map {
                // As people name it who leave the tag out.
                RelayLink.printable($0.hasSuffix(":latest") ? String($0.dropLast(7)) : String($0))
            }
    }
}
