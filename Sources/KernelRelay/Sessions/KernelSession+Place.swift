import Host
import RelayLink

/// Where the kernel runs: in a container that is there, in one of its own, or on this host.
extension KernelSession {
    var engine: Engine {
        if launch.hostEnvironment == nil {
            return Engine(.init(command: launch.engine, environment: launch.engineEnvironment))
        }
        let own = CurrentEnvironment.variables.filter { $0.key.hasPrefix("KERNELRELAY_") }
        return .host(launch.engineEnvironment.merging(own) { given, _ in given })
    }

    /// The container for the present attempt; where it is to be the kernel's own it is made now.
    func place(_ limit: LaunchLimit) async throws(Refusal) -> Container {
        let engine = engine
        if launch.making != nil, keptContainer == nil { return try await make(limit) }
        phases.begin(.inspect)
        let (name, isKept) = (keptContainer ?? asked.container, keptContainer != nil)
        return try await limit.step { () async throws(Refusal) in
            try await refusing { () async throws(RelayError) in
                let container = try await engine.container(name)
                // One that this kernel was in before may be its own.
                return try isKept ? container : container.mustBeForAll()
            }
        }
    }

    // MARK: - A container of its own

    private var ownContainer: KernelContainer? {
        launch.making.map {
            KernelContainer(
                engine: engine, image: $0.image, arguments: $0.arguments, byChannel: launch.ports,
                kernel: kernel, unusedSeconds: OrphanTime.unusedSeconds)
        }
    }

    private func make(_ limit: LaunchLimit) async throws(Refusal) -> Container {
        guard let own = ownContainer else { throw Self.toldToEnd }
        phases.begin(.make)
        mayHaveContainer = true
        return try await limit.step { () async throws(Refusal) in
            // Not with this task, which is cancelled when nobody waits for it any more: a client that is killed may
            // leave a container behind. An image that is on its way arrives, and is there for the next attempt.
            let making = Task { () async -> Result<Container, RelayError> in
                do throws(RelayError) { return .success(try await own.make()) } catch {
                    return .failure(error)
                }
            }
            let made = await making.value
            if limit.isGivenUp { await Task { await own.remove() }.value }
            return try await refusing { () throws(RelayError) in try made.get() }
        }
    }

    /// Of a container that was made a moment ago, being gone or stopped means that it has not come to anything.
    func ofOwnContainer(_ error: Refusal) -> Refusal {
        let codes: [ErrorCode] = [.containerMissing, .containerStopped]
        guard mayHaveContainer, codes.contains(where: { $0.rawValue == error.code }) else { return error }
        return Refusal(.containerEnded, container)
    }

    func removeContainer() async {
        guard mayHaveContainer, let own = ownContainer else { return }
        mayHaveContainer = false
        // Commands of a cancelled task are killed.
        await Task { await own.remove() }.value
    }

    /// A gate in a container of the kernel's own goes with it; another is kept for a while.
    func partFrom(_ gate: GateSession) async {
        await gate.forget(kernel)
        await gate.closeTunnel(to: kernel)
        if launch.making == nil || ending == .handedOver {
            await gates.kernelEnded(at: gate)
        } else {
            await gates.discard(gate)
        }
    }

    // MARK: - A command on this host

    /// The ports of the present attempt's command.
    func drawHostPorts() throws(Refusal) {
        guard launch.hostEnvironment != nil, keptContainer == nil else { return }
        do throws(RelayError) {
            hostPorts = try HostCommandPorts.draw(launch.ports, for: kernel)
        } catch {
            throw Refusal(error)
        }
    }

    /// A kernel that was told to listen on all interfaces, and whose ports nobody has mapped, does so on this host's.
    func noteInterfaces(_ place: KernelPlace) {
        guard let hostPorts, place.transport == .tcp, HostCommand.needsAllInterfaces(asked) else { return }
        // With the same numbers on both sides nothing tells where it is, but a command that names an engine.
        let mayBeHere = hostPorts.inside == hostPorts.outside && !HostCommand.namesEngine(asked)
        guard route == .line || mayBeHere else { return }
        isOnAllInterfaces = true
        // Of one that is taken up again it was said.
        guard keptContainer == nil else { return }
        let text =
            "this kernel \(route == .line ? "listens" : "may listen") on all interfaces of this host; "
            + "--transport ipc or --route line keeps it private"
        shim.send(ControlReport.output(stream: .stderr, data: Array("relayd: \(text)\n".utf8)))
        Log.note("kernel warned", ["kernel": id, "attempt": kernel, "message": text])
    }

    /// What is told to end gets this long. A command on the host may have a container of its own to stop.
    var grace: Duration {
        launch.hostEnvironment == nil ? Tuning.abandonedGrace : Tuning.hostCommandGrace
    }
}
