import CLinux
import Glibc
import RelayLink

/// Starts a program as the leader of a session and a group of its own.
///
/// By posix_spawn, because between fork and exec nothing of Swift may run. Signals are as a fresh program
/// expects them, stdin is at its end, and no descriptor of the gate's crosses over.
enum Spawn {
    struct Child {
        let pid: Int32
        let stdout: Int32
        let stderr: Int32
    }

    static func start(_ path: String, argv: [String], environment: [String], folder: String?)
        throws(GateError) -> Child
    {
        if let folder { try check(folder) }
        // The descriptors that the child gets for stdout and stderr, and the ends that are read here.
        var out: [Int32] = [-1, -1]
        var err: [Int32] = [-1, -1]
        guard pipe2(&out, O_CLOEXEC) == 0 else { throw .system("pipe2") }
        guard pipe2(&err, O_CLOEXEC) == 0 else {
            let failure = errno
            for end in out { close(end) }
            throw .system("pipe2", failure)
        }
        defer {
            close(out[1])
            close(err[1])
        }
        let (failure, pid) = spawn(path, argv, environment, folder, out[1], err[1])
        guard failure == 0 else {
            close(out[0])
            close(err[0])
            throw CommandLookup.explain(failure, path)
        }
        for end in [out[0], err[0]] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        return Child(pid: pid, stdout: out[0], stderr: err[0])
    }

    /// The same for a program that speaks over one descriptor and lives on by itself. Its stderr is nobody's: a pipe
    /// of the caller's would never end.
    static func apart(_ path: String, argv: [String], link: Int32) throws(GateError) {
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard nowhere >= 0 else { throw .system("/dev/null") }
        defer { close(nowhere) }
        let (failure, _) = spawn(path, argv, Environment.current.lines, nil, link, nowhere, input: link)
        if failure != 0 { throw .system("posix_spawn", failure) }
    }

    /// posix_spawn says only that something failed; a folder must not look like a missing command.
    private static func check(_ folder: String) throws(GateError) {
        var facts = stat()
        guard stat(folder, &facts) == 0 else {
            throw GateError(.folder, "\(printable(folder)): \(errorText(errno))")
        }
        guard facts.st_mode & S_IFMT == S_IFDIR else {
            throw GateError(.folder, "\(printable(folder)) is not a folder")
        }
        guard access(folder, X_OK) == 0 else {
            throw GateError(.folder, "\(printable(folder)): \(errorText(errno))")
        }
    }

    private static func spawn(
        _ path: String, _ argv: [String], _ environment: [String], _ folder: String?, _ out: Int32,
        _ err: Int32, input: Int32? = nil
    ) -> (failure: Int32, pid: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Opened here: in the child the limit of descriptors may be lower than what is in use. An image may
        // lack /dev/null; a pipe that nobody writes to is at its end as well.
        var empty = input.map { fcntl($0, F_DUPFD_CLOEXEC, 0) } ?? open("/dev/null", O_RDONLY | O_CLOEXEC)
        if empty < 0 {
            var ends: [Int32] = [-1, -1]
            if pipe2(&ends, O_CLOEXEC) != 0 { return (errno, 0) }
            close(ends[1])
            empty = ends[0]
        }
        defer { close(empty) }
        posix_spawn_file_actions_adddup2(&actions, empty, 0)
        posix_spawn_file_actions_adddup2(&actions, out, 1)
        posix_spawn_file_actions_adddup2(&actions, err, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        if let folder { posix_spawn_file_actions_addchdir_np(&actions, folder) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = Int32(KR_SPAWN_SETSID) | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var arguments = argv.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: Int32 = 0
        let raised = DescriptorLimit.lower()
        defer { DescriptorLimit.restore(raised) }
        let failure = posix_spawn(&pid, path, &actions, &attributes, &arguments, &variables)
        return (failure, pid)
    }
}
