import CLinux
import Glibc

/// `relay-shim hold`: the command of a container that has nothing to do but to be there, whatever its image
/// lacks. It waits until it is told to end.
package enum Hold {
    package static func run() -> Int32 {
        var ends = sigset_t()
        sigemptyset(&ends)
        // As the first process of a container it would not be reached by signals that it does not wait for.
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&ends, number) }
        sigprocmask(SIG_BLOCK, &ends, nil)
        var number: Int32 = 0
        while sigwait(&ends, &number) == EINTR {}
        return 0
    }
}
