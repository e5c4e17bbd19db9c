import CLinux
import Glibc
import Host
import RelayLink

/// The program relayd: where it is, and `relayd start`, which returns when a relayd listens.
struct RelaydProgram {
    let path: String
    let environment: [String: String]

    init(_ caller: CallerEnvironment) throws(HostError) {
        path = try Self.find(caller)
        environment = caller.forRelayd
    }

    private static func find(_ caller: CallerEnvironment) throws(HostError) -> String {
        if let named = caller["KERNELRELAY_RELAYD"], !named.isEmpty {
            guard isProgram(named), let whole = realpath(named, nil) else {
                throw HostError(.relaydMissing, printable(named))
            }
            defer { free(whole) }
            // `start` runs in another folder.
            return String(cString: whole)
        }
        var folders: [String] = []
        if let own = ownPath, let slash = own.lastIndex(of: "/") { folders.append(String(own[..<slash])) }
        let beside = folders.first ?? "?"
        folders += (caller["PATH"] ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        let programs = folders.map { "\($0)/relayd" }
        guard let found = programs.first(where: isProgram) else {
            throw HostError(.relaydMissing, "neither in \(printable(beside)) nor in PATH")
        }
        return found
    }

    private static var ownPath: String? {
        var name = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = name.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count > 0 ? String(decoding: name[..<count], as: UTF8.self) : nil
    }

    /// `relayd start` while it runs.
    struct Start: ~Copyable {
        let pid: Int32
        /// Readable when it has ended; -1 where the system has no such thing.
        let descriptor: Int32
        let stderr: Int32

        /// Its exit code, once it has ended.
        func outcome() -> Int32? {
            var status: Int32 = 0
            let ended = waitpid(pid, &status, WNOHANG)
            if ended == 0 || (ended < 0 && errno == EINTR) { return nil }
            if ended < 0 { return 255 }
            return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        }

        /// It leads a group of its own, in which nothing is that should live.
        func kill() {
            Glibc.kill(-pid, SIGKILL)
            waitpid(pid, nil, 0)
        }

        deinit {
            if descriptor >= 0 { close(descriptor) }
            close(stderr)
        }
    }

    func start() throws(HostError) -> Start {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw .system("pipe2") }
        defer { close(ends[1]) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        let (failure, pid) = spawn(stderr: ends[1])
        guard failure == 0 else {
            close(ends[0])
            throw HostError(.relaydStart, "\(printable(path)): \(String(cString: strerror(failure)))")
        }
        return Start(pid: pid, descriptor: kr_pidfd_open(pid), stderr: ends[0])
    }

    private func spawn(stderr: Int32) -> (failure: Int32, pid: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, stderr, 2)
        // Descriptors that Jupyter leaked into the shim would live as long as relayd.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        // And the notebook's folder could not be unmounted.
        posix_spawn_file_actions_addchdir_np(&actions, "/")
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // A session of its own: what Jupyter sends to the shim's group is not for relayd.
        let flags = Int32(KR_SPAWN_SETSID) | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var arguments = ["relayd", "start"].map { strdup($0 as String) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: Int32 = 0
        let failure = posix_spawn(&pid, path, &actions, &attributes, &arguments, &variables)
        return (failure, pid)
    }
}
