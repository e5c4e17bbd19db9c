import CLinux
import Glibc

/// A descriptor that one thread sleeps on and any other can ring.
package final class WakeUp: Sendable {
    package let descriptor: Int32

    package init() throws(RelayError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if descriptor < 0 { throw .system("eventfd") }
    }

    package func ring() {
        // The one failure is a counter that is full, which wakes the sleeper just as well.
        _ = eventfd_write(descriptor, 1)
    }

    package func clear() {
        var count: eventfd_t = 0
        _ = eventfd_read(descriptor, &count)
    }

    deinit { _ = close(descriptor) }
}
