import Host
import RelayLink

/// The gates that relayd has a link to: one for each container and user in it.
///
/// Concurrency: an actor. Those who ask for the same gate at once wait for one and the same opening.
package actor GatePool {
    /// Not the client: callers differ in what its environment is, and one gate must not get two links.
    struct Key: Hashable {
        let container: String
        let user: String
    }

    /// Kernels that a session looks for, and that no gate may end meanwhile.
    nonisolated let sought = SoughtKernels()
    /// How long gates and engines took to answer, those included that are gone.
    nonisolated let hops = HopTimes()
    /// Whether new kernels are taken.
    nonisolated let drain: DrainMark?
    /// Which kernels run in which container.
    nonisolated let roster = Roster()
    private let secret: GateSecret
    private(set) var gates: [Key: Task<GateSession, any Error>] = [:]
    /// The last that was opened for each, and by what.
    private var opened: [Key: (gate: GateSession, opening: Task<GateSession, any Error>)] = [:]
    private var isClosed = false

    package init(secret: GateSecret, drain: DrainMark? = nil) {
        self.secret = secret
        self.drain = drain
    }

    /// The gate of a running container for a user.
    package func gate(
        engine: Engine, container: Container, user: String?, ports: [String: UInt16]
    ) async throws(Refusal) -> GateSession {
        let who = Self.canonical(user, in: container)
        let key = Key(container: container.id, user: who)
        while let opening = gates[key] {
            let gate = try await result(of: opening, key, container)
            if await gate.isOpen() { return gate }
            // Unless another caller has begun anew while this one waited.
            if gates[key] == opening { gates[key] = nil }
        }
        if isClosed { throw Refusal(.relaydStopping, container.name) }
        let (secret, sought, hops) = (secret, sought, hops)
        let opening = Task<GateSession, any Error> {
            try await GateSession(
                engine: engine, container: container, user: user, name: secret.name(user: who),
                token: secret.token(container: container.id, user: who), ports: ports,
                folder: secret.folder, sought: sought, hops: hops)
        }
        gates[key] = opening
        return try await result(of: opening, key, container)
    }

    /// One opening that fails is the failure of all who waited for it.
    private func result(
        of opening: Task<GateSession, any Error>, _ key: Key, _ container: Container
    ) async throws(Refusal) -> GateSession {
        do {
            let gate = try await opening.value
            opened[key] = (gate, opening)
            return gate
        } catch {
            if gates[key] == opening { gates[key] = nil }
            if let error = error as? RelayError { throw Refusal(error) }
            throw error as? Refusal ?? Refusal(.gateLost, container.name)
        }
    }

    /// Two spellings of one user must not become two gates, of which only one could have the exposed ports.
    private static func canonical(_ user: String?, in container: Container) -> String {
        let name = user ?? container.user
        return ["", "root", "0:0", "root:root"].contains(name) ? "0" : name
    }

    /// A kernel has ended: a gate without kernels is kept warm for a while, and then stopped.
    package func kernelEnded(at gate: GateSession) {
        Task {
            try? await Task.sleep(for: Tuning.gateIdle)
            await self.stopIfIdle(gate)
        }
    }

    /// Its container is about to go, and the gate with it.
    func discard(_ gate: GateSession) async {
        forget(gate)
        await gate.leave()
    }

    func stopIfIdle(_ gate: GateSession) async {
        if isClosed { return }
        // Who asks for it from now on finds it closed, and starts another.
        if await gate.closeIfIdle(for: Tuning.gateIdle) { await gate.stop(grace: .zero) }
        // Also one that was lost with its container, which nobody may ever ask for again.
        if await gate.isClosing { forget(gate) }
    }

    private func forget(_ gate: GateSession) {
        for (key, known) in opened where known.gate === gate {
            opened[key] = nil
            // Another may be being opened.
            if gates[key] == known.opening { gates[key] = nil }
        }
    }

    /// Those that have answered once, whatever they are doing now: nobody waits for one that is being joined.
    package var all: [GateSession] { opened.values.map(\.gate) }

    /// Ends all gates, or lets go of them; no other is opened.
    package func close(stopping: Bool) async {
        isClosed = true
        var gates = all
        // Those that are being opened still, too: each has its limit. Whoever asked for one may have given up since.
        for opening in self.gates.values {
            guard let gate = try? await opening.value, !gates.contains(where: { $0 === gate }) else {
                continue
            }
            gates.append(gate)
        }
        await withTaskGroup { group in
            for gate in gates {
                group.addTask {
                    if stopping { await gate.stop(grace: .seconds(2)) } else { await gate.leave() }
                }
            }
        }
    }
}
