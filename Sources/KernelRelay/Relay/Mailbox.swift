import Synchronization

/// Where other threads leave a command for a relay's thread.
///
/// Concurrency: any thread may put, the relay's thread takes. The lock is held for the exchange alone; the
/// bell rings outside it.
final class Mailbox: Sendable {
    enum Command {
        /// End: hand on what the kernel still says, but no longer than this.
        case stop(by: ContinuousClock.Instant)
    }

    private let command = Mutex<Command?>(nil)
    private let bell: WakeUp

    init() throws(RelayError) { bell = try WakeUp() }

    var descriptor: Int32 { bell.descriptor }

    func put(_ command: Command) {
        self.command.withLock { $0 = command }
        bell.ring()
    }

    func take() -> Command? {
        bell.clear()
        return command.withLock { $0.take() }
    }
}
