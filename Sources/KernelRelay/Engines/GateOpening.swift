import Dispatch
import Glibc
import RelayLink

extension Engine {
    /// Starts a gate in the container, or joins the one that runs there, and says hello to it. Brings the program
    /// in first where it is not there.
    ///
    /// - Parameters:
    ///   - user: as exec takes it; nothing for the container's own.
    ///   - name: tells several gates of one user apart.
    ///   - joins: a new link to a gate that runs.
    ///   - queue: that of the link's streams, where it will have any.
    package func openGate(
        in container: Container, user: String?, name: String, joins: Bool, hello: GateRequest.Hello,
        queue: DispatchQueue? = nil
    ) async throws(RelayError) -> OpenGate {
        if isHost {
            return try await openHostGate(name: name, joins: joins, hello: hello, queue: queue)
        }
        if let user { try Self.check(user, or: .gateUser) }
        let binary = try await GateBinary.find(client.environment)
        let opening = GateOpening(
            engine: self, container: container, user: user, name: name, joins: joins, hello: hello,
            binary: binary, queue: queue)
        return try await opening.run()
    }
}

/// The steps to a gate, the likely ones first: an exec of what should be there costs less than to ask.
struct GateOpening: Sendable {
    let engine: Engine
    let container: Container
    let user: String?
    let name: String
    let joins: Bool
    let hello: GateRequest.Hello
    let binary: GateBinary
    let queue: DispatchQueue?

    private enum Attempt {
        case opened(OpenGate)
        /// No gate spoke: how the client ended, and what it said.
        case nothing(ChildProcess.ExitStatus, complaint: String)
    }

    func run() async throws(RelayError) -> OpenGate {
        if let mount = container.gateMount, case .opened(let gate) = try await attempt(mount) {
            // What is mounted may be older than this program.
            if !gate.isForeign { return gate }
            gate.close()
        }
        switch try await attempt(copy) {
        case .opened(let gate): return gate
        // The engine was asked, the container runs, and the program could not: most often it is not there.
        case .nothing(.code(126), _), .nothing(.code(127), _): break
        // Whatever else is in the way of an exec is in the way of a copy, too, and has a code.
        case .nothing: _ = try await engine.runningContainer(container.id)
        }
        do throws(RelayError) {
            try await GateDelivery(engine: engine, binary: binary).deliver(to: container)
        } catch {
            throw await explain(error)
        }
        // Two relayds may deliver at once: then a file that is still being written is what is found.
        let deadline = ContinuousClock.now + engine.patience.copy
        var isFirst = true
        while true {
            switch try await attempt(copy) {
            case .opened(let gate): return gate
            case .nothing(let status, let complaint):
                let isFinal =
                    !Self.isOfUnfinishedFile(status, complaint) || ContinuousClock.now > deadline
                    || Task.isCancelled
                if isFirst || isFinal, let error = await obstacle() { throw error }
                if isFinal { throw RelayError(.gateExec, container.name, cause: complaint) }
                isFirst = false
            }
            try? await Task.sleep(for: Tuning.copyIsTriedAgain)
        }
    }

    /// Whether a program may have ended so because not all of it was there: it was refused, in numbers or in the system's
    /// words, or it fell over what was missing.
    private static func isOfUnfinishedFile(_ status: ChildProcess.ExitStatus, _ complaint: String) -> Bool {
        [126, 127, 128 + SIGBUS, 128 + SIGSEGV].contains { status == .code($0) }
            || ["text file busy", "exec format error"].contains { complaint.lowercased().contains($0) }
    }

    private var copy: String { GatePath.copy(binary) }

    // MARK: - One attempt

    private func exec(_ path: String, as user: String?, _ words: [String]) -> EngineCommand {
        let options = user.map { ["--user", $0] } ?? []
        return engine.command(["exec", "-i"] + options + [container.id, path] + words)
    }

    private func attempt(_ path: String) async throws(RelayError) -> Attempt {
        let (ours, theirs) = try Pipe.pair()
        let command = exec(path, as: user, ["gate"] + (joins ? ["--join"] : []) + ["--name", name])
        let (process, complaints) = try await command.start(
            stdin: theirs, stdout: theirs, alsoClosing: ours)
        let channel = FrameChannel(ours, queue: queue)
        channel.send(GateRequest.hello(hello))
        let patience = Task {
            try await Task.sleep(for: engine.patience.gate)
            channel.close()
        }
        let begin = ContinuousClock.now
        let frame = await withTaskCancellationHandler {
            await channel.next()
        } onCancel: {
            channel.close()
        }
        patience.cancel()
        if let frame, frame.stream == Frame.control, let first = try? GateReport(json: frame.payload) {
            return .opened(
                OpenGate(channel: channel, first: first, process: process, complaints: complaints))
        }
        channel.close()
        if frame == nil, begin.duration(to: .now) >= engine.patience.gate {
            process.kill()
            // The container may have been paused or stopped under the exec.
            _ = try await engine.runningContainer(container.id)
            throw RelayError(.gateSilent, container.name)
        }
        // What spoke, if anything, was no gate, and need not end by itself.
        let status = await process.exit(within: Tuning.clientEnds)
        if status == nil { process.kill() }
        let complaint = engine.client.cleaned(EngineCommand.line(await complaints.finish().bytes))
        // It says that there is none to join, with a remedy for somebody who is in the container.
        if joins, status == .code(69) { throw RelayError(.gateLost, container.name) }
        return .nothing(status ?? .signal(SIGKILL), complaint: complaint)
    }

    // MARK: - What was in the way

    /// A copy that failed may be a matter of another kind, which the mounted gate can tell.
    private func explain(_ error: RelayError) async -> RelayError {
        guard let mount = container.gateMount, error.code == .gateReadOnly || error.code == .gateCopy else {
            return error
        }
        return await userRefused(mount) ?? error
    }

    /// Why the gate does not run although it is there; nothing when that cannot be found out.
    private func obstacle() async -> RelayError? {
        do throws(RelayError) {
            _ = try await engine.runningContainer(container.id)
        } catch {
            return error
        }
        if let error = await architectureDiffers() { return error }
        return await userRefused(copy)
    }

    private func architectureDiffers() async -> RelayError? {
        guard let own = binary.architecture else { return nil }
        let asked = engine.command([
            "inspect", "--type", "container", "--format", "{{.Image}}", container.id,
        ])
        guard let image = try? await asked.run(), image.succeeded else { return nil }
        let id = image.text.filter { !$0.isWhitespace }
        guard !id.isEmpty, !id.hasPrefix("-") else { return nil }
        let inspect = engine.command(["image", "inspect", "--format", "{{.Architecture}}", id])
        guard let answer = try? await inspect.run(), answer.succeeded else { return nil }
        let theirs = answer.text.filter { !$0.isWhitespace }
        guard !theirs.isEmpty, theirs != own else { return nil }
        return RelayError(
            .gateArchitecture, container.name,
            cause: "the image is for \(RelayLink.printable(theirs)), \(binary.path) for \(own)")
    }

    /// The same program runs without a user and not with this one.
    private func userRefused(_ path: String) async -> RelayError? {
        guard let user else { return nil }
        guard let without = try? await exec(path, as: nil, ["--version"]).run(), without.succeeded,
            let with = try? await exec(path, as: user, ["--version"]).run(), !with.succeeded
        else { return nil }
        return RelayError(.gateUser, RelayLink.printable(user), cause: with.reason)
    }
}

extension OpenGate {
    /// A gate of another protocol says so, in words that this one still understands.
    fileprivate var isForeign: Bool {
        if case .failed(_, GateErrorCode.version.rawValue, _, _) = first { true } else { false }
    }
}
