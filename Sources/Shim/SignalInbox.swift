import CLinux
import Glibc
import Host

/// The signals that a shim passes on, as a descriptor.
///
/// Concurrency: blocks them in the thread that makes it, which must be the only one.
final class SignalInbox {
    let descriptor: Int32

    init() throws(HostError) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2] where Self.isTaken(number) {
            sigaddset(&set, number)
        }
        guard sigprocmask(SIG_BLOCK, &set, nil) == 0 else { throw .system("sigprocmask") }
        // A reader that has gone is the outlet's matter.
        signal(SIGPIPE, SIG_IGN)
        // Inherited as ignored, it would take the exit code of `relayd start` away.
        signal(SIGCHLD, SIG_DFL)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        if descriptor < 0 { throw .system("signalfd") }
    }

    /// Under nohup Jupyter and its kernels live on when the terminal closes; so does this one.
    private static func isTaken(_ number: Int32) -> Bool {
        guard number == SIGHUP else { return true }
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return true }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) != 1
    }

    /// What has come, in the order in which the system hands it out.
    func take() -> [Int32] {
        var numbers: [Int32] = []
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while read(descriptor, &info, size) == size { numbers.append(Int32(info.ssi_signo)) }
        return numbers
    }

    deinit { close(descriptor) }
}
