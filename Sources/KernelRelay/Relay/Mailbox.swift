import Synchronization

/// Where other threads leave what a relay's thread is to do.
///
/// Concurrency: any thread may put, the relay's thread takes. The lock is held for the exchange alone; the
/// bell rings outside it.
final class Mailbox: Sendable {
    /// What was said since the thread looked last. One place for each kind, of which the newest counts: a stop and
    /// a kernel may come together in either order, and neither takes the other's place.
    struct Commands {
        /// End: hand on what the kernel still says, but no longer than this.
        var stop: ContinuousClock.Instant?
        /// The kernel is here now, and no longer where it was.
        var kernel: KernelAddress?
    }

    private let commands = Mutex(Commands())
    private let bell: WakeUp

    init() throws(RelayError) { bell = try WakeUp() }

    var descriptor: Int32 { bell.descriptor }

    func stop(by deadline: ContinuousClock.Instant) {
        commands.withLock { $0.stop = deadline }
        bell.ring()
    }

    func connect(to kernel: KernelAddress) {
        commands.withLock { $0.kernel = kernel }
        bell.ring()
    }

    func take() -> Commands {
        bell.clear()
        return commands.withLock { commands in
            defer { commands = Commands() }
            return commands
        }
    }
}
