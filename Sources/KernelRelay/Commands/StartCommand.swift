import CLinux
import Glibc
import Host
import RelayLink

extension Subcommand {
    static let start = Subcommand(
        name: "start",
        summary: "run in the background; shims do this by themselves",
        usage: """
            usage: relayd start [--idle SECONDS] [--http [ADDRESS:]PORT] [--discover [--docker CLIENT]]

            Returns when relayd serves, at once when one does already. It ends by itself when nobody has used it for
            ten minutes; --idle sets another time. --http opens the status page, as in `relayd serve`. What relayd has to
            say goes to relayd.log beside its socket.

            \(DiscoveryOption.usage)

            A relayd that runs already is told. While discovery is on it does not end by itself.
            """
    ) { words in
        var arguments = try Arguments(
            words, options: DiscoveryOption.options.union(["--idle", "--http"]), flags: DiscoveryOption.flags)
        let idle = try arguments.value("--idle") ?? "600"
        let http = try arguments.value("--http")
        let discovery = try DiscoveryOption.read(&arguments)
        try arguments.finish()
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        if isServed(folder) {
            if let http { _ = try await ControlClient(folder).ask(.page(request: 1, address: http)) }
            switch discovery {
            case .on(let client):
                let wish = try await DiscoveryOption.wish(client: client, CurrentEnvironment.variables)
                _ = try await ControlClient(folder).ask(.discover(request: 1, wish))
            case .off: _ = try await ControlClient(folder).ask(.discover(request: 1, nil))
            case .unsaid: break
            }
            return 0
        }
        let output = try Pipe.make()
        defer { close(output.read) }
        let options =
            ["--idle", idle] + (http.map { ["--http", $0] } ?? []) + DiscoveryOption.words(discovery)
        try launchServer(options, output.write, folder)
        // It says one word, or ends.
        var word = [UInt8](repeating: 0, count: 64)
        let count = read(output.read, &word, word.count)
        // Another may have been faster.
        if count > 0 || isServed(folder) { return 0 }
        throw HostError(.relaydStart, "its last words are in \(folder.log)")
    }
}

/// In a session of its own, and nobody's child once this process has ended: neither a signal to a notebook's process
/// group nor one to a shim's children reaches it.
private func launchServer(_ options: [String], _ output: Int32, _ folder: RuntimeFolder) throws {
    defer { close(output) }
    let log = try LogFile(folder.log).open()
    defer { close(log) }
    let empty = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard empty >= 0 else { throw RelayError.system("/dev/null") }
    defer { close(empty) }
    // By its own name: a process started as /proc/self/exe is called "exe" wherever processes are listed.
    guard let link = realpath("/proc/self/exe", nil) else { throw RelayError.system("/proc/self/exe") }
    defer { free(link) }
    let program = String(cString: link)
    do throws(ChildProcess.Failure) {
        let child = try ChildProcess(
            program, argv: ["relayd", "serve"] + options,
            environment: CurrentEnvironment.variables, stdin: empty, stdout: output, stderr: log)
        child.letGo()
    } catch {
        throw HostError(.relaydStart, errorText(error.number))
    }
}

private func isServed(_ folder: RuntimeFolder) -> Bool {
    guard let descriptor = try? UnixStream.connect(to: folder.socket, waiting: true) else { return false }
    close(descriptor)
    return true
}
