import Glibc
import RelayLink

/// Shows containers that carry our label in Jupyter's launcher, for as long as they run.
///
/// The engine's events only ring: at each ring the engine is asked which containers there are, and the folder is brought
/// to that. So nothing depends on no event being missed. When the events end, with their client or with the engine, they
/// are begun anew, with growing pauses.
///
/// Concurrency: an actor; `run` is its whole life, and ends when its task is cancelled.
package actor Discovery {
    private let engine: Engine
    private let shelf: DiscoveryShelf
    /// How many are shown.
    package private(set) var count = 0
    /// Why the engine, or the folder, is not as it should be.
    package private(set) var trouble: RelayError?
    private var hasLooked = false
    /// By its id what is shown of each container.
    private var known: [String: (container: Container, kernel: DiscoveredKernel)] = [:]

    package init(engine: Engine, shelf: DiscoveryShelf) {
        self.engine = engine
        self.shelf = shelf
    }

    /// Until its task is cancelled; then nothing of it is left in the folder.
    package func run() async {
        var failures = 0
        while !Task.isCancelled {
            let began = ContinuousClock.now
            do throws(RelayError) {
                try await listen()
            } catch {
                // A client that was killed with the task says nothing of the engine.
                if Task.isCancelled { break }
                note(error)
                // Nobody knows what runs; what an earlier relayd left is surely not known.
                if !hasLooked { await bring([]) }
            }
            failures = began.duration(to: .now) < Tuning.linkIsStable ? failures + 1 : 0
            let pauses = Tuning.discoveryPauses
            try? await Task.sleep(for: pauses[min(failures, pauses.count - 1)])
        }
        // The cancelled task may run nothing more, and this must be.
        await Task { await self.clear() }.value
    }

    /// As long as the engine's client tells of events.
    private func listen() async throws(RelayError) {
        // Some seconds earlier: the engine's clock may be another's.
        let events = try await EngineEvents(
            of: engine, label: Labels.displayName, since: time(nil) - Tuning.discoveryOverlap,
            until: time(nil) + Tuning.discoveryRenews)
        defer { events.close() }
        try await look()
        for await _ in events.rings {
            // Making a container anew is a dozen events.
            try? await Task.sleep(for: Tuning.discoverySettles)
            if Task.isCancelled { return }
            try await look()
        }
    }

    /// Asks what runs, and shows it.
    private func look() async throws(RelayError) {
        let ids = try await engine.ids(labelled: [Labels.displayName], running: true)
        var found: [(container: Container, kernel: DiscoveredKernel)] = []
        var isMore = false
        var failure: RelayError?
        // The oldest first: who starts containers by the thousand hides none that was there before.
        for id in ids.reversed() {
            isMore = found.count == Tuning.mostDiscovered
            if isMore || Task.isCancelled { break }
            do throws(RelayError) {
                let container = try await engine.named(id)
                if let kernel = DiscoveredKernel(container) { found.append((container, kernel)) }
            } catch {
                // It went between the two questions.
                if error.code == .containerMissing { continue }
                // It runs, and nobody knows that it is another than it was.
                if let before = known[id] { found.append(before) }
                failure = error
            }
        }
        if Task.isCancelled { return }
        if isMore { Log.note("too many to discover", ["containers": String(ids.count)]) }
        if failure == nil, trouble != nil {
            Log.note("discovery goes on")
            trouble = nil
        }
        hasLooked = true
        known = Dictionary(found.map { ($0.container.id, $0) }) { first, _ in first }
        await bring(found)
        if let failure { throw failure }
    }

    private func bring(_ found: [(container: Container, kernel: DiscoveredKernel)]) async {
        let (shelf, client) = (shelf, engine.client)
        do throws(RelayError) {
            let program = try await GateBinary.find(client.environment).path
            let changes = try await offload("kr-discovery") {
                .success(shelf.show(found, program: program, client: client.command))
            }
            count = found.count
            note(changes)
        } catch {
            note(error)
        }
    }

    private func clear() async {
        let shelf = shelf
        if let changes = try? await offload("kr-discovery", { .success(shelf.clear()) }) { note(changes) }
        count = 0
    }

    // MARK: - What is noted

    private func note(_ changes: DiscoveryShelf.Changes) {
        for name in changes.came { Log.note("kernel discovered", ["name": name]) }
        for name in changes.went { Log.note("discovered kernel left", ["name": name]) }
        if let failure = changes.failure { note(failure) }
    }

    /// The same trouble is noted once.
    private func note(_ error: RelayError) {
        if trouble?.code != error.code {
            Log.note("discovery in trouble", ["code": error.code.rawValue, "message": error.context])
        }
        trouble = error
    }
}
