import CLinux
import Glibc
import RelayLink

/// Signals as events: children's ends, and requests to stop.
///
/// Concurrency: blocks them in the thread that makes it, which must be the only one.
package final class Signals {
    private let descriptor: Int32
    private var watch: EventLoop.Watch?

    package init(_ loop: EventLoop, _ numbers: [Int32], _ handler: @escaping (Int32) -> Void)
        throws(GateError)
    {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        guard sigprocmask(SIG_BLOCK, &set, nil) == 0 else { throw .system("sigprocmask") }
        // A peer that has gone is an error of the write, not the end of the gate.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        if descriptor < 0 { throw .system("signalfd") }
        watch = try loop.watch(descriptor, .readable) { [descriptor] _ in
            var info = signalfd_siginfo()
            let size = MemoryLayout<signalfd_siginfo>.size
            while read(descriptor, &info, size) == size { handler(Int32(info.ssi_signo)) }
        }
    }

    deinit {
        watch?.cancel()
        close(descriptor)
    }
}
