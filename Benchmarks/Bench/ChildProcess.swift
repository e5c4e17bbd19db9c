import Glibc

/// A hop in a process of its own.
///
/// Its standard input is a pipe that only the bench holds open: however the bench ends, the hops see the end of their
/// input and go. haproxy does not look at it, so it is started under a parent-death signal instead.
final class ChildProcess {
    let pid: pid_t
    private let input: Int32
    private let output: Int32
    private var reaped = false

    init(_ path: String, _ arguments: [String]) throws {
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else { throw BenchError("pipe") }
        for descriptor in toChild + fromChild { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var pid = pid_t()
        let failed = posix_spawnp(&pid, path, &actions, nil, &argv, environ)
        close(toChild[0])
        close(fromChild[1])
        input = toChild[1]
        output = fromChild[0]
        guard failed == 0 else {
            close(input)
            close(output)
            throw BenchError("cannot start \(path): \(String(cString: strerror(failed)))")
        }
        self.pid = pid
    }

    deinit { end() }

    /// Waits for a line that begins with `word`.
    func awaitLine(_ word: String, milliseconds: Int) throws {
        var seen: [UInt8] = []
        let limit = Wire.now() + Double(milliseconds) / 1000
        while true {
            let lines = String(decoding: seen, as: UTF8.self).split(separator: "\n")
            if lines.contains(where: { $0.hasPrefix(word) }) { return }
            var item = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            let left = Int32((limit - Wire.now()) * 1000)
            guard left > 0, poll(&item, 1, left) > 0 else {
                throw BenchError("process \(pid) did not say \(word)")
            }
            var bytes = [UInt8](repeating: 0, count: 256)
            let got = read(output, &bytes, bytes.count)
            guard got > 0 else { throw BenchError("process \(pid) ended before it said \(word)") }
            seen += bytes[..<got]
        }
    }

    /// Closes its input, waits, and kills it should it still be there after two seconds; returns its last words.
    @discardableResult
    func end(politeSignal: Int32? = nil) -> String {
        guard !reaped else { return "" }
        reaped = true
        close(input)
        if let politeSignal { kill(pid, politeSignal) }
        // Read to the end while waiting: what it has to say may be more than a pipe holds.
        var words: [UInt8] = []
        let limit = Wire.now() + 2
        while true {
            var item = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            let left = Int32((limit - Wire.now()) * 1000)
            guard left > 0, poll(&item, 1, left) > 0 else {
                kill(pid, SIGKILL)
                break
            }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let got = read(output, &bytes, bytes.count)
            guard got > 0 else { break }
            words += bytes[..<got]
        }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        close(output)
        return String(decoding: words, as: UTF8.self)
    }

    /// Seconds of processor time so far, all threads, by the process's own CPU clock: finer than /proc's ticks.
    var processorSeconds: Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return .nan }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Private resident bytes: what would be freed if this process went.
    var privateBytes: Double {
        guard let file = fopen("/proc/\(pid)/smaps_rollup", "r") else { return .nan }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        var kilobytes = 0.0
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            guard text.hasPrefix("Private_") else { continue }
            kilobytes += text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        }
        return kilobytes * 1000 * 1.024
    }
}
