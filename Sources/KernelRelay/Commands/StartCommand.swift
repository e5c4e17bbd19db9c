import CLinux
import Glibc
import Host
import RelayLink

extension Subcommand {
    static let start = Subcommand(
        name: "start",
        summary: "run in the background; shims do this by themselves",
        usage: """
            usage: relayd start [--idle SECONDS]

            Returns when relayd serves, at once when one does already. It ends by itself when nobody has used it for
            ten minutes; --idle sets another time. What it has to say goes to relayd.log beside its socket.
            """
    ) { words in
        var arguments = try Arguments(words, options: ["--idle"])
        let idle = try arguments.value("--idle") ?? "600"
        try arguments.finish()
        let folder = try RuntimeFolder(environment: CurrentEnvironment.variables)
        if isServed(folder) { return 0 }
        let output = try Pipe.make()
        defer { close(output.read) }
        try launchServer(idle, output.write, folder)
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
private func launchServer(_ idle: String, _ output: Int32, _ folder: RuntimeFolder) throws {
    defer { close(output) }
    let log = try openLog(folder.log)
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
            program, argv: ["relayd", "serve", "--idle", idle],
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

/// Begins anew when the file has grown: nobody else would.
private func openLog(_ path: String) throws(RelayError) -> Int32 {
    var facts = stat()
    let isLarge = lstat(path, &facts) == 0 && facts.st_size > 4 << 20
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (isLarge ? O_TRUNC : 0)
    let descriptor = open(path, flags, 0o600)
    guard descriptor >= 0 else { throw .system("open \(path)") }
    return descriptor
}
