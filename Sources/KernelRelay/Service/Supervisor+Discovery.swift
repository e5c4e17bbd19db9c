import Glibc
import RelayLink

/// Discovery, where somebody asked for it: as long as it is on relayd is needed.
extension Supervisor {
    /// From now on, in place of what was asked for before; nothing turns it off.
    ///
    /// What was asked for stands in relayd's folder until it is turned off: a relayd that was killed is started again by
    /// a shim, which knows nothing of it.
    package func discover(_ wish: ControlRequest.Discovery?) async {
        await endDiscovery(forGood: wish == nil)
        guard let wish, !isStopping else { return }
        try? PrivateFile.write(JSON.object(wish.kept).encoded, to: setting)
        let discovery = Discovery(
            engine: Engine(.init(command: wish.engine, environment: wish.engineEnvironment)),
            shelf: .init(kernels: wish.kernels, search: wish.search, runtime: folder))
        guestCame()
        Log.note("discovery on", ["engine": wish.engine.first ?? "", "kernels": wish.kernels])
        discovering = (discovery, Task { await discovery.run() })
    }

    /// Takes every kernel that it shows out of the launcher.
    ///
    /// - Parameter forGood: the next relayd is not to go on with it.
    package func endDiscovery(forGood: Bool) async {
        if forGood { unlink(setting) }
        guard let (_, task) = discovering.take() else { return }
        task.cancel()
        await task.value
        guestLeft()
        Log.note("discovery off")
    }

    /// What was asked of an earlier relayd of this folder, and never taken back.
    ///
    /// - Parameter environment: for the engine's client: the file holds none, since values are nobody's to read.
    package nonisolated func earlierDiscovery(_ environment: [String: String]) -> ControlRequest.Discovery? {
        guard let bytes = try? PrivateFile.read(setting, limit: 1 << 20),
            var fields = (try? JSON(parsing: bytes))?.fields
        else { return nil }
        fields["engineEnvironment"] = .object(environment.mapValues { .string($0) })
        return try? ControlRequest.Discovery(Fields(.object(fields), in: "discovery"))
    }

    private nonisolated var setting: String { "\(folder)/discovery" }

    /// For the status report; nothing while it is off.
    var discoveryReport: JSON {
        get async {
            guard let discovery = discovering?.discovery else { return .null }
            let trouble = await discovery.trouble
            return [
                "kernels": .whole(Int64(await discovery.count)),
                "code": trouble.map { .string($0.code.rawValue) } ?? .null,
            ]
        }
    }
}

extension ControlRequest.Discovery {
    fileprivate var kept: [String: JSON] { body.filter { $0.key != "engineEnvironment" } }
}
