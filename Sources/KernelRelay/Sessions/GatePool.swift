import RelayLink

/// The gates that relayd has a link to: one for each container and user in it.
///
/// Concurrency: an actor. Those who ask for the same gate at once wait for one and the same opening.
package actor GatePool {
    /// Not the client: callers differ in what its environment is, and one gate must not get two links.
    private struct Key: Hashable {
        let container: String
        let user: String
    }

    private let secret: GateSecret
    private var gates: [Key: Task<GateSession, any Error>] = [:]
    private var isClosed = false

    package init(secret: GateSecret) { self.secret = secret }

    /// The gate of a running container for a user.
    package func gate(
        engine: Engine, container: Container, user: String?, ports: [String: UInt16]
    ) async throws(Refusal) -> GateSession {
        let who = Self.canonical(user, in: container)
        let key = Key(container: container.id, user: who)
        while let opening = gates[key] {
            if let gate = try? await opening.value, await gate.isOpen() { return gate }
            // Unless another caller has begun anew while this one waited.
            if gates[key] == opening { gates[key] = nil }
        }
        if isClosed { throw Refusal(.relaydStopping, container.name) }
        let secret = secret
        let opening = Task<GateSession, any Error> {
            try await GateSession(
                engine: engine, container: container, user: user, name: secret.name(user: who),
                token: secret.token(container: container.id, user: who), ports: ports)
        }
        gates[key] = opening
        do {
            return try await opening.value
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

    private func stopIfIdle(_ gate: GateSession) async {
        guard !isClosed, await gate.idleTime >= Tuning.gateIdle else { return }
        await remove(gate)
        await gate.stop(grace: .zero)
    }

    private func remove(_ gate: GateSession) async {
        for (key, opening) in gates {
            if let other = try? await opening.value, other === gate, gates[key] == opening {
                gates[key] = nil
            }
        }
    }

    /// Those that are open now.
    package var all: [GateSession] {
        get async {
            var all: [GateSession] = []
            for opening in gates.values {
                if let gate = try? await opening.value, await gate.isOpen() { all.append(gate) }
            }
            return all
        }
    }

    /// Ends all gates, or lets go of them; no other is opened.
    package func close(stopping: Bool) async {
        isClosed = true
        let gates = await all
        await withTaskGroup { group in
            for gate in gates {
                group.addTask {
                    if stopping { await gate.stop(grace: .seconds(2)) } else { await gate.leave() }
                }
            }
        }
    }
}
