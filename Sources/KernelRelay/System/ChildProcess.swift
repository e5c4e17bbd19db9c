import CLinux
import Dispatch
import Glibc
import Synchronization

/// A program that was started, in a session and a group of its own.
///
/// Jupyter sends SIGINT to whole groups; what is started here must not be in the caller's. It is killed when its
/// last owner lets go of it, and whatever happens it is reaped.
///
/// Concurrency: the end arrives on a queue of Dispatch, by a pidfd. The lock is held while the process is
/// reaped and while it is signalled, so that a signal never meets another process of the same number.
package final class ChildProcess: Sendable {
    /// How it ended.
    package enum ExitStatus: Sendable, Equatable {
        case code(Int32)
        case signal(Int32)
    }

    /// posix_spawn's reason.
    package struct Failure: Error {
        package let number: Int32
    }

    package let pid: Int32
    private let end: End

    /// Starts the program at `path`. The three descriptors stay the caller's.
    ///
    /// By posix_spawn, because between fork and exec nothing of Swift may run. It waits for the exec, and so is
    /// called on a thread that may wait.
    package init(
        _ path: String, argv: [String], environment: [String: String], stdin: Int32, stdout: Int32,
        stderr: Int32
    ) throws(Failure) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in [stdin, stdout, stderr].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // As a fresh program expects them: this process ignores some signals and blocks others.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = Int32(KR_SPAWN_SETSID) | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var arguments = argv.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var child: Int32 = 0
        let failure = posix_spawn(&child, path, &actions, &attributes, &arguments, &variables)
        guard failure == 0 else { throw Failure(number: failure) }
        pid = child
        let descriptor = kr_pidfd_open(child)
        guard descriptor >= 0 else {
            let number = errno
            Glibc.kill(-child, SIGKILL)
            waitpid(child, nil, 0)
            throw Failure(number: number)
        }
        end = End(child, descriptor)
    }

    /// From now on it lives on when this object goes.
    package func letGo() { isOurs.store(false, ordering: .relaxed) }
    private let isOurs = Atomic<Bool>(true)

    deinit { if isOurs.load(ordering: .relaxed) { kill() } }

    /// Signals the process and all that is in its group still; nothing once it has ended.
    package func kill(_ signal: Int32 = SIGKILL) { end.signal(signal) }

    /// Waits for its end.
    package func exit() async -> ExitStatus {
        // Without a limit there always is one.
        await end.wait(within: nil) ?? .code(0)
    }

    /// Waits for its end, and gives up after a time.
    package func exit(within limit: Duration) async -> ExitStatus? { await end.wait(within: limit) }
}

/// The part that stays until the process has been reaped, whoever forgets it before.
private final class End: @unchecked Sendable {
    private struct State {
        var status: ChildProcess.ExitStatus?
        var waiting: [Int: CheckedContinuation<ChildProcess.ExitStatus?, Never>] = [:]
        var next = 0
    }

    private let pid: Int32
    private let state = Mutex(State())
    /// Holds this object by its handler until it is cancelled.
    private let source: Readiness

    init(_ pid: Int32, _ descriptor: Int32) {
        self.pid = pid
        source = Readiness(.reading, descriptor, on: .global()) { close(descriptor) }
        source.onRing { self.reap() }
        source.resume()
    }

    private func reap() {
        let waiting = state.withLock { state in
            guard state.status == nil else { return [CheckedContinuation<ChildProcess.ExitStatus?, Never>]() }
            var raw: Int32 = 0
            let found = waitpid(pid, &raw, WNOHANG)
            if found == 0 || found < 0 && errno == EINTR { return [] }
            // Without a status only where the embedding program reaps what is not its own.
            state.status =
                found < 0 ? .code(255) : raw & 0x7F == 0 ? .code(raw >> 8 & 0xFF) : .signal(raw & 0x7F)
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        let status = state.withLock { $0.status }
        if status != nil { source.cancel() }
        for continuation in waiting { continuation.resume(returning: status) }
    }

    func signal(_ number: Int32) {
        state.withLock { state in
            if state.status == nil { kill(-pid, number) }
        }
    }

    func wait(within limit: Duration?) async -> ChildProcess.ExitStatus? {
        await withCheckedContinuation { continuation in
            let (ticket, status) = state.withLock { state -> (Int, ChildProcess.ExitStatus?) in
                state.next += 1
                if state.status == nil { state.waiting[state.next] = continuation }
                return (state.next, state.status)
            }
            if let status { return continuation.resume(returning: status) }
            guard let limit else { return }
            DispatchQueue.global().asyncAfter(deadline: .now() + limit.seconds) {
                self.state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: nil)
            }
        }
    }
}
