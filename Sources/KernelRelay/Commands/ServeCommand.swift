import Glibc
import Host
import RelayLink

extension Subcommand {
    static let serve = Subcommand(
        name: "serve",
        summary: "run in the foreground until told to stop",
        usage: """
            usage: relayd serve [--idle SECONDS]

            Serves the shims of this user on a socket in $XDG_RUNTIME_DIR/kernelrelay. Shims start it by themselves.

              --idle SECONDS   end when nobody has been connected and no kernel has run for so long

            SIGTERM and SIGINT end relayd alone: kernels live on behind their gates, and the next relayd, which their
            shims start at once, takes them up again. `relayd stop` ends the kernels too.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--idle"])
        let idle = try arguments.value("--idle").map { text throws(HostError) in
            guard let seconds = Int64(text), seconds > 0 else {
                throw HostError(.usage, "--idle takes a number of seconds")
            }
            return Duration.seconds(seconds)
        }
        try arguments.finish()
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        // Not the socket: that of a relayd that was killed is still there.
        let lock = try await take(folder)
        signal(SIGPIPE, SIG_IGN)
        Descriptors.raiseLimit()
        Log.turnOn()
        let supervisor = try Supervisor(folder: folder.path)
        let server = try ControlServer(folder.socket, supervisor: supervisor)
        server.start()
        Log.note(
            "serving", ["release": ControlProtocol.release, "pid": String(getpid()), "socket": folder.socket])
        // Whoever started it reads this, and nothing after it.
        print("serving")
        fflush(nil)

        let reason = await firstEnd(of: server, supervisor, idle)
        Log.note("ending", ["reason": reason.rawValue])
        server.close()
        if reason == .signal { await supervisor.handOver() }
        if reason == .idle { await supervisor.stop(grace: .zero) }
        // Only now may another serve; the connections of shims end with this process.
        withExtendedLifetime(lock) {}
        return 0
    }
}

/// Waits for a relayd that is on its way out: its socket is gone, and its kernels' shims want the next one.
private func take(_ folder: RuntimeFolder) async throws -> FileLock {
    let deadline = ContinuousClock.now + Tuning.predecessorEnds
    while true {
        if let lock = try FileLock(trying: folder.serveLock) { return lock }
        guard access(folder.socket, F_OK) != 0, ContinuousClock.now < deadline else {
            throw HostError(.relaydRunning, folder.path)
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}

private enum End: String {
    /// `relayd stop` has ended all kernels already.
    case stopped
    case signal, idle
}

private func firstEnd(of server: ControlServer, _ supervisor: Supervisor, _ idle: Duration?) async -> End {
    await withTaskGroup(of: End?.self) { group in
        group.addTask {
            await server.untilStopped()
            return Task.isCancelled ? nil : .stopped
        }
        group.addTask {
            for await _ in SignalWatch.first(of: [SIGTERM, SIGINT, SIGHUP]) { return .signal }
            return nil
        }
        if let idle {
            group.addTask {
                while !Task.isCancelled {
                    let been = await supervisor.idleTime
                    if been >= idle { return .idle }
                    try? await Task.sleep(for: max(idle - been, .milliseconds(10)))
                }
                return nil
            }
        }
        for await end in group {
            guard let end else { continue }
            group.cancelAll()
            return end
        }
        return .stopped
    }
}
