import Glibc
import Host
import RelayLink

extension Subcommand {
    static let serve = Subcommand(
        name: "serve",
        summary: "run in the foreground until told to stop",
        usage: """
            usage: relayd serve [--idle SECONDS] [--http [ADDRESS:]PORT] [--discover [--docker CLIENT]]

            Serves the shims of this user on a socket in $KERNELRELAY_RUNTIME_DIR, else in $XDG_RUNTIME_DIR/kernelrelay,
            else in /run/user/UID/kernelrelay or /tmp/kernelrelay-UID. Shims start it by themselves.

              --idle SECONDS          end when nobody has been connected and no kernel has run for so long
              --http [ADDRESS:]PORT   open the status page there; else where KERNELRELAY_HTTP says, if it says anything.
                                      Port 0 is any that is free. The address is 127.0.0.1 unless another is given,
                                      and others are let in with a token alone: `relayd page` prints it
            \(DiscoveryOption.usage)

            SIGTERM and SIGINT end relayd alone: kernels live on behind their gates, and the next relayd, which their
            shims start at once, takes them up again. `relayd stop` ends the kernels too.
            """
    ) { words in
        var arguments = try Arguments(
            words, options: DiscoveryOption.options.union(["--idle", "--http"]), flags: DiscoveryOption.flags)
        let idle = try arguments.value("--idle").map { text throws(HostError) in
            guard let seconds = Int64(text), seconds > 0 else {
                throw HostError(.usage, "--idle takes a number of seconds")
            }
            return Duration.seconds(seconds)
        }
        let http = try arguments.value("--http")
        let discovery = try DiscoveryOption.read(&arguments)
        try arguments.finish()
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        // Not the socket: that of a relayd that was killed is still there.
        let lock = try await take(folder)
        signal(SIGPIPE, SIG_IGN)
        Descriptors.raiseLimit()
        Log.turnOn(file: LogFile(folder.log))
        let supervisor = try Supervisor(folder: folder.path)
        try await openPage(of: supervisor, http)
        let server = try ControlServer(folder.socket, supervisor: supervisor)
        await beginDiscovery(of: supervisor, discovery)
        server.start()
        Log.note(
            "serving", ["release": ControlProtocol.release, "pid": String(getpid()), "socket": folder.socket])
        // Whoever started it reads this, and nothing after it.
        print("serving")
        fflush(nil)

        let reason = await firstEnd(of: server, supervisor, idle)
        Log.note("ending", ["reason": reason.rawValue])
        server.close()
        await supervisor.closePage()
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

/// A page that was asked for in so many words is opened or relayd does not serve. What the environment asks for must not
/// keep anybody's kernel from starting.
private func openPage(of supervisor: Supervisor, _ asked: String?) async throws {
    if let asked {
        _ = try await supervisor.openPage(at: asked)
    } else if let usual = CurrentEnvironment.variables["KERNELRELAY_HTTP"], !usual.isEmpty {
        do throws(Refusal) {
            _ = try await supervisor.openPage(at: usual)
        } catch {
            Log.note("page not opened", ["code": error.code, "message": error.message])
        }
    }
}

/// What was asked for now; else what the environment asks for, or an earlier relayd of this folder was told. Where nothing
/// is, what one that was killed has left in the launcher goes.
private func beginDiscovery(of supervisor: Supervisor, _ asked: DiscoveryOption.Choice) async {
    let caller = CurrentEnvironment.variables
    var choice = asked
    if case .unsaid = choice { choice = DiscoveryOption.usual(caller) }
    do {
        switch choice {
        case .on(let client):
            return await supervisor.discover(try await DiscoveryOption.wish(client: client, caller))
        case .off: await supervisor.discover(nil)
        case .unsaid:
            let environment = CallerEnvironment(caller).forEngine
            if let wish = supervisor.earlierDiscovery(environment) { return await supervisor.discover(wish) }
        }
        let kernels = try JupyterFolders(environment: caller).kernels(.user)
        DiscoveryShelf(kernels: kernels, runtime: supervisor.folder).clear()
    } catch {
        // No kernel is to be without a relayd for that.
        Log.note("discovery not begun", ["message": "\(error)"])
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
