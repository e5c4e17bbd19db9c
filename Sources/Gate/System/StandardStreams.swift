import CLinux
import Glibc

/// The three descriptors that a process begins with.
package enum StandardStreams {
    /// A program may be started without them; then the next descriptor that is opened would take their
    /// place, and what is meant for a person would end up in it.
    package static func ensure() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            if open("/dev/null", O_RDWR) < 0 {
                var ends: [Int32] = [-1, -1]
                _ = pipe2(&ends, 0)
            }
        }
    }

    /// Lets go of whatever they were.
    static func giveUp() {
        var instead = open("/dev/null", O_RDWR | O_CLOEXEC)
        if instead < 0 {
            var ends: [Int32] = [-1, -1]
            guard pipe2(&ends, O_CLOEXEC) == 0 else { return }
            close(ends[1])
            instead = ends[0]
        }
        for descriptor in STDIN_FILENO...STDERR_FILENO { dup2(instead, descriptor) }
        close(instead)
    }
}
