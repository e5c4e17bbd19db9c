import RelayLink

/// What `relayd up` makes, and `relayd down` takes away.
package struct Upbringing: Sendable {
    package let engine: Engine
    package var image: String
    /// Drawn from the image's where nobody chose one.
    package var name: String?
    package var byChannel: [String: UInt16]
    /// Runs the image's own command instead of one that only waits.
    package var keepsCommand: Bool
    /// After what time the container ends by itself.
    package var lifetimes: Lifetimes
    /// How many kernels may run in it at once.
    package var mostKernels: Int?
    /// Further arguments of `run`.
    package var arguments: [String]
    /// Told when the image must come from elsewhere, which may take long.
    package var whenPulling: @Sendable (String) -> Void

    package init(
        engine: Engine, image: String, name: String? = nil, byChannel: [String: UInt16],
        keepsCommand: Bool = false, lifetimes: Lifetimes = .init(), mostKernels: Int? = nil,
        arguments: [String] = [],
        whenPulling: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.engine = engine
        self.image = image
        self.name = name
        self.byChannel = byChannel
        self.keepsCommand = keepsCommand
        self.lifetimes = lifetimes
        self.mostKernels = mostKernels
        self.arguments = arguments
        self.whenPulling = whenPulling
    }

    /// Makes the container and sees it stay.
    package func bringUp() async throws(RelayError) -> (container: Container, flags: RunFlags) {
        try Engine.check(image, or: .imageMissing)
        let binary = try await GateBinary.find(engine.client.environment)
        if await engine.lacksImage(image) { whenPulling(image) }
        var last: RelayError?
        // Somebody else may take a port or the name in between; then others are drawn.
        for _ in 0..<5 {
            let name = try await freeName()
            let flags = try RunFlags.draw(byChannel, binary)
            switch try await attempt(name, flags) {
            case .made(let container): return (container, flags)
            case .raced(let error): last = error
            }
        }
        throw last ?? RelayError(.portsTaken, image)
    }

    private enum Attempt {
        case made(Container)
        case raced(RelayError)
    }

    private func attempt(_ name: String, _ flags: RunFlags) async throws(RelayError) -> Attempt {
        let mark = String(UInt64.random(in: 0...(.max)), radix: 16)
        var words = ["run", "--detach", "--name", name] + flags.flags.flatMap { $0 }
        words += ["--label", "\(Labels.madeByUp)=\(mark)"]
        if let mostKernels { words += ["--label", "\(Labels.mostKernels)=\(mostKernels)"] }
        if !keepsCommand { words += ["--entrypoint", GatePath.mount] }
        words += arguments + [image] + (keepsCommand ? [] : hold)
        let outcome: EngineCommand.Outcome
        do throws(RelayError) {
            outcome = try await run(words)
            if outcome.succeeded {
                let container = try await watched(try await look(name))
                if !Task.isCancelled { return .made(container) }
            }
            if Task.isCancelled { throw interrupted }
        } catch {
            await cleanUp(name, mark)
            // Whatever was asked then was killed, which looks like an engine that is not there.
            throw Task.isCancelled ? interrupted : error
        }
        // A container that cannot start is there all the same.
        let theirs = await cleanUp(name, mark)
        if Task.isCancelled { throw interrupted }
        if let error = await engine.unreachable() { throw error }
        if await engine.lacksImage(image) {
            throw RelayError(.imageMissing, RelayLink.printable(image), cause: outcome.reason)
        }
        let error = RelayError(.engineFailed, "run \(RelayLink.printable(image))", cause: outcome.reason)
        let portsAreGone = !flags.ports.allSatisfy { HostPorts.isFree($0.host) }
        if portsAreGone || theirs && self.name == nil { return .raced(error) }
        throw error
    }

    /// To its end, also where this task is cancelled: the engine may make the container of a client that was killed after
    /// anybody has looked for it. As long as the image is on its way there is none, and nobody is made to wait for that, nor
    /// for ever for an engine that hangs or fetches a newer image.
    private func run(_ words: [String]) async throws(RelayError) -> EngineCommand.Outcome {
        let running = Task { () async -> Result<EngineCommand.Outcome, RelayError> in
            do throws(RelayError) {
                return .success(try await engine.command(words).run(within: Tuning.engineRuns))
            } catch {
                return .failure(error)
            }
        }
        return try await withTaskCancellationHandler {
            await running.value
        } onCancel: {
            Task {
                if await !engine.lacksImage(image) { try? await Task.sleep(for: engine.patience.interrupted) }
                running.cancel()
            }
        }.get()
    }

    private var interrupted: RelayError {
        RelayError(.engineFailed, "run \(RelayLink.printable(image))", cause: "interrupted")
    }

    /// The command that waits, and for how long.
    private var hold: [String] {
        func option(_ name: String, _ milliseconds: Int64?) -> [String] {
            milliseconds.map { [name, String($0 / 1000)] } ?? []
        }
        return ["hold"] + option("--idle", lifetimes.idle) + option("--max", lifetimes.most)
    }

    /// Removes what has this name and this mark, also when this task is cancelled: commands of a cancelled task are killed.
    /// Says whether the name belongs to another container.
    @discardableResult
    private func cleanUp(_ name: String, _ mark: String) async -> Bool {
        await Task { await removeOurs(name, mark) }.value
    }

    private func removeOurs(_ name: String, _ mark: String) async -> Bool {
        guard let container = try? await engine.container(name) else { return false }
        guard container.labels[Labels.madeByUp] == mark else { return true }
        try? await engine.remove(container)
        return false
    }

    /// A container whose command cannot run, or has nothing to do, ends at once. That is said, with its last words.
    private func watched(_ container: Container) async throws(RelayError) -> Container {
        try? await Task.sleep(for: Tuning.containerStays)
        let now = try await look(container.id)
        if now.state == .running { return now }
        let words = await engine.lastWords(of: now)
        try? await engine.remove(now)
        let why = ["exit code \(now.exitCode)", now.failure, words].filter { !$0.isEmpty }.joined(
            separator: ": ")
        throw RelayError(.containerEnded, now.name, cause: RelayLink.printable(why, limit: 900))
    }

    /// With --rm among the arguments a container that has ended is gone already, and its words with it.
    private func look(_ name: String) async throws(RelayError) -> Container {
        do throws(RelayError) {
            return try await engine.container(name)
        } catch {
            throw error.code == .containerMissing ? RelayError(.containerEnded, name) : error
        }
    }

    // MARK: - The name

    private func freeName() async throws(RelayError) -> String {
        if let name {
            try Engine.check(name, or: .containerMissing)
            if try await isTaken(name) {
                throw RelayError(.containerTaken, name)
            }
            return name
        }
        let usual = Self.usualName(image)
        for number in 1...1000 {
            let name = number == 1 ? usual : "\(usual)-\(number)"
            if try await !isTaken(name) { return name }
        }
        throw RelayError(
            .engineFailed, usual, cause: "a thousand containers of this name are there; use --name")
    }

    private func isTaken(_ name: String) async throws(RelayError) -> Bool {
        do throws(RelayError) {
            _ = try await engine.container(name)
            return true
        } catch {
            guard error.code == .containerMissing else { throw error }
            return false
        }
    }

    /// `kernelrelay-` and the image's own name, without registry, tag and digest.
    package static func usualName(_ image: String) -> String {
        let last = image.split(separator: "/").last ?? ""
        let base = last.prefix { $0 != ":" && $0 != "@" }
        let isLegal: (Character) -> Bool = {
            $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0))
        }
        let word = String(base.prefix(40).filter(isLegal))
        return word.isEmpty ? "kernelrelay" : "kernelrelay-\(word)"
    }
}

extension Engine {
    /// Removes a container that `relayd up` made, and refuses any other.
    package func takeDown(_ name: String) async throws(RelayError) -> Container {
        let container = try await container(name)
        guard container.isMadeByUp else { throw RelayError(.containerForeign, container.name) }
        try await remove(container)
        return container
    }

    /// With the volumes that have no name: they came with it, and nobody could find them afterwards.
    func remove(_ container: Container) async throws(RelayError) {
        let outcome = try await command(["rm", "--force", "--volumes", container.id])
            .run(within: Tuning.engineCopies)
        if outcome.succeeded { return }
        do throws(RelayError) {
            _ = try await self.container(container.id)
        } catch {
            // Somebody else was faster.
            if error.code == .containerMissing { return }
            throw error
        }
        throw await explain(outcome, .engineFailed, "rm \(container.name)")
    }

    func lastWords(of container: Container) async -> String {
        guard let outcome = try? await command(["logs", "--tail", "10", container.id]).run() else {
            return ""
        }
        let output = EngineCommand.line(outcome.output)
        return [output, outcome.complaint].filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
