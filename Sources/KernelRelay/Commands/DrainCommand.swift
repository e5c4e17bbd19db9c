import Host
import RelayLink

extension Subcommand {
    static let drain = Subcommand(
        name: "drain",
        summary: "take no new kernels, and let those that run finish",
        usage: """
            usage: relayd drain [--wait] [--json]
                   relayd drain --off

              --wait   return when no kernel is left
              --off    take new kernels again
              --json   say how many kernels run as JSON

            Cells that want a new kernel are told so, with KR-RELAYD-DRAINING. It holds until --off, also for a relayd that
            is started later. relayd itself goes on; `relayd drain --wait && relayd stop` ends it when nobody needs it.
            """
    ) { words in
        var arguments = try Arguments(words, flags: ["--wait", "--off", "--json"])
        let (waits, isOff) = (arguments.flag("--wait"), arguments.flag("--off"))
        let wantsJSON = arguments.flag("--json")
        try arguments.finish()
        if waits, isOff { throw HostError(.usage, "--wait and --off exclude each other") }
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        let mark = DrainMark(folder: folder.path)
        if isOff { try mark.clear() } else { try mark.set() }
        var count = try await kernels(folder)
        var doubt = Doubt()
        while waits, try doubt.lasts(count, in: folder) {
            try await Task.sleep(for: Tuning.drainLooks)
            count = try await kernels(folder)
        }
        let known = count ?? 0
        if wantsJSON {
            let said: JSON = .object([
                "schema_version": 1, "draining": .bool(!isOff), "kernels": .whole(Int64(known)),
            ])
            print(String(decoding: said.encoded, as: UTF8.self))
        } else if isOff {
            print("new kernels are taken")
        } else {
            print("no new kernels are taken; \(known == 1 ? "1 kernel runs" : "\(known) kernels run")")
        }
        return 0
    }
}

/// Whether a count of none can be believed. Where relayd has been killed kernels live on, and it takes their shims a moment
/// to start the next one and to tell it of them.
private struct Doubt {
    /// Since when nothing was seen of a kernel or of a relayd that is being started, once there was none.
    private var since: ContinuousClock.Instant?

    mutating func lasts(_ count: Int?, in folder: RuntimeFolder) throws(HostError) -> Bool {
        if let count, count > 0 { return true }
        // Whoever starts a relayd holds this.
        let isStarting = try FileLock(trying: folder.startLock) == nil
        if count == nil, since == nil || isStarting { since = .now }
        guard let since else { return false }
        return since.duration(to: .now) < Tuning.drainDoubt
    }
}

/// How many have not ended; a notebook that was told why it has none does not count. Nothing where no relayd says so.
private func kernels(_ folder: RuntimeFolder) async throws -> Int? {
    do {
        let report = try await StatusQuestion.ask(folder, history: false)
        return (report.fields?["kernels"]?.list ?? []).filter {
            ["starting", "running", "ending"].contains($0.fields?["state"]?.text)
        }.count
    } catch let error as HostError where error.code == .relaydAbsent {
        return nil
    } catch let error as Refusal where error.code == HostErrorCode.relaydLost.rawValue {
        return nil
    }
}
