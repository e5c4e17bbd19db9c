import Glibc

/// A kernel that does what a script says, on real sockets.
///
/// Concurrency: one thread owns every socket (`KernelLoop`), from `start` to `stop`, which joins it. Other threads
/// reach it by commands under a lock, with a descriptor in its poll set to wake it, and look at its record, which has a
/// lock of its own. `start` and `stop` belong to one owner and are not called at the same time.
package final class FakeKernel: @unchecked Sendable {
    package struct Options: Sendable {
        /// Of the iopub socket, in messages; ipykernel's own value is 1000.
        package var iopubHighWaterMark: Int32 = 1000
        /// Of the sockets that read requests, in messages: small for a kernel that soon makes its clients wait.
        package var requestHighWaterMark: Int32 = 1000
        /// Time between the binding of one port and the next, as a slow interpreter takes it.
        package var bindPause: Int32 = 0
        /// Answers each subscription by a signed iopub_welcome, as ipykernel >= 7.2 does.
        package var sendsWelcome = false
        /// Whether whole messages are kept in the record.
        package var keepsMessages = true
        package var session = "kernel-session"
        package var script: KernelScript = usualScript

        package init() {}
    }

    package let address: PeerAddress
    package let options: Options
    let ledger = KernelLedger()
    private let mailbox = KernelMailbox()
    private var thread: PeerThread?
    private var wake: (read: Int32, write: Int32) = (-1, -1)

    package init(_ address: PeerAddress, options: Options = Options()) {
        self.address = address
        self.options = options
    }

    deinit { stop(abrupt: true) }

    /// Binds the five ports and begins to serve; returns when they are bound. May be called again after `stop`.
    package func start() throws {
        precondition(thread == nil, "the fake kernel runs already")
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw PeerError("socketpair", code: errno) }
        wake = (ends[0], ends[1])
        _ = mailbox.take()
        ledger.update {
            $0.exited = false
            $0.paused = []
            $0.failure = nil
        }
        let wakeEnd = ends[0]
        // The thread holds the parts it needs, not the kernel: or a kernel let go of would never be stopped.
        thread = PeerThread { [ledger, address, options, mailbox] in
            do {
                try KernelLoop.run(address, options, ledger: ledger, mailbox: mailbox, wake: wakeEnd)
            } catch {
                ledger.update { $0.failure = "\(error)" }
            }
            ledger.update {
                $0.isBound = false
                $0.exited = true
            }
        }
        _ = ledger.wait(milliseconds: 10_000) { $0.isBound || $0.exited }
        if let failure = record.failure {
            stop()
            throw PeerError("the fake kernel did not start: \(failure)")
        }
    }

    /// Ends the thread and frees the ports. Not abruptly: what is under way to connected peers still goes out.
    package func stop(abrupt: Bool = false) {
        guard let thread else { return }
        post(.stop(abrupt: abrupt))
        thread.join()
        self.thread = nil
        close(wake.read)
        close(wake.write)
        wake = (-1, -1)
    }

    /// Stops reading these channels (all others are read); an empty set reads everything again. In force on return.
    package func pauseReading(_ channels: Set<PeerChannel>) {
        post(.pause(channels))
        _ = wait { $0.paused == channels || $0.exited }
    }

    /// Publishes on iopub, signed; the topic is `message.identities`, one frame.
    package func publish(_ message: SignedMessage) { post(.send(.iopub, message.frames(for: address))) }

    /// Sends frames exactly as given: the place for wrong signatures and broken messages.
    package func sendRaw(_ frames: [[UInt8]], on channel: PeerChannel) { post(.send(channel, frames)) }

    package var record: KernelRecord { ledger.snapshot }

    /// Waits for the record to satisfy `done`; false when it does not in time.
    package func wait(milliseconds: Int = 5000, until done: (KernelRecord) -> Bool) -> Bool {
        ledger.wait(milliseconds: milliseconds, until: done)
    }

    private func post(_ command: KernelCommand) {
        mailbox.put(command)
        var byte: UInt8 = 0
        // A full buffer wakes the thread just as well; one that has ended must not end the tests by SIGPIPE.
        _ = send(wake.write, &byte, 1, Int32(MSG_NOSIGNAL))
    }
}
