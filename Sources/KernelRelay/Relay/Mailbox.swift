import Synchronization

/// Where other threads leave what a relay's thread is to do.
///
/// Concurrency: any thread may put, the relay's thread takes. The lock is held for the exchange alone; the
/// bell rings outside it.
final class Mailbox: Sendable {
    /// What was said since the thread looked last. One place for each kind, of which the newest counts: a stop and
    /// a kernel may come together in either order, and neither takes the other's place. That there is a kernel and that
    /// there is none are of one kind.
    struct Commands {
        /// End: hand on what the kernel still says, but no longer than this.
        var stop: ContinuousClock.Instant?
        /// The kernel is here now, and no longer where it was.
        var kernel: (address: KernelAddress, name: String?)?
        /// There is no kernel now, for this reason.
        var speech: Speech?
        /// What is to be said beside the output of the cell that runs.
        var remarks: [Remark] = []
        /// What is to be said although no cell waits for it.
        var announcements: [String] = []
        /// Ask the kernel whether it is still at what an earlier relay asked of it.
        var asks = false
        /// Bind what could not be bound, and say what came of it.
        var binding: Promise<RelayError?>?
        fileprivate var isClosed = false
    }

    private let commands = Mutex(Commands())
    private let bell: WakeUp

    init() throws(RelayError) { bell = try WakeUp() }

    var descriptor: Int32 { bell.descriptor }

    func stop(by deadline: ContinuousClock.Instant) {
        commands.withLock { $0.stop = deadline }
        bell.ring()
    }

    func connect(to kernel: KernelAddress, as name: String?) {
        commands.withLock {
            $0.kernel = (kernel, name)
            $0.speech = nil
        }
        bell.ring()
    }

    func speak(_ speech: Speech) {
        commands.withLock {
            $0.speech = speech
            $0.kernel = nil
        }
        bell.ring()
    }

    func remark(_ remark: Remark) {
        // Who does not come round to say them has said enough.
        commands.withLock { if $0.remarks.count < 8 { $0.remarks.append(remark) } }
        bell.ring()
    }

    func announce(_ text: String) {
        commands.withLock { if $0.announcements.count < 8 { $0.announcements.append(text) } }
        bell.ring()
    }

    func askWhetherItWorks() {
        commands.withLock { $0.asks = true }
        bell.ring()
    }

    func bindRest(_ done: Promise<RelayError?>) {
        let isClosed = commands.withLock {
            $0.binding = done
            return $0.isClosed
        }
        isClosed ? close() : bell.ring()
    }

    /// The thread has ended, or never began; nobody is to wait for it.
    func close() {
        let waiting = commands.withLock {
            $0.isClosed = true
            return $0.binding.take()
        }
        waiting?.fulfil(RelayError(.system, "the relay has ended"))
    }

    func take() -> Commands {
        bell.clear()
        return commands.withLock { commands in
            defer {
                let isClosed = commands.isClosed
                commands = Commands()
                commands.isClosed = isClosed
            }
            return commands
        }
    }
}
