import CLinux

/// What the C library has free and the system could use.
package enum Memory {
    /// Gives it back. glibc keeps a pool for each of many threads, and returns little of them by itself: after a
    /// kernel's start a third of what relayd had was free. It takes some milliseconds, in which allocations wait.
    package static func giveBack() { _ = malloc_trim(0) }
}
