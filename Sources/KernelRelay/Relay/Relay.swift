/// Joins one Jupyter client side to one kernel: five sockets in front, five behind, two keys.
///
/// Every message is verified under the key of the side it comes from and signed under the key of the side
/// it goes to; nothing else in it is changed. No message is lost while both sides live: what a client
/// cannot take yet is held, and then the kernel is made to wait.
///
///     let notebook = try ConnectionInfo(contentsOf: "/run/user/1000/jupyter/runtime/kernel-1.json")
///     let kernel = try ConnectionInfo(contentsOf: "/srv/kernel.json")
///     let relay = try Relay(front: notebook, back: kernel)
///     ...
///     relay.stop()
///
/// Concurrency: a relay has one thread of its own, on which its sockets live and die. `init` waits until
/// that thread has bound the front; `stop` until it has ended. Everything else talks to it through a
/// mailbox and reads its atomic counters.
public final class Relay: Sendable {
    private let thread: Thread
    private let mailbox: Mailbox
    private let counters: Counters

    private let bound: Set<String>

    /// Binds the five endpoints of `front` and begins to look for the kernel at `back`.
    ///
    /// It does not wait for the kernel: requests wait in front until its five sockets have answered.
    ///
    /// - Throws: ``RelayError`` when a port cannot be bound or the system has no room for another relay.
    public convenience init(front: ConnectionInfo, back: ConnectionInfo, options: RelayOptions = .init())
        throws(RelayError)
    {
        try self.init(
            front: front, kernel: KernelAddress(back, credentials: options.credentials), options: options)
    }

    /// Binds the five endpoints of `front` for a kernel whose place is not known yet. Requests wait in front until
    /// ``connect(to:)`` has said it and the kernel has answered. `options.credentials` mean nothing here: an address
    /// brings its own.
    package convenience init(front: ConnectionInfo, options: RelayOptions = .init()) throws(RelayError) {
        try self.init(front: front, kernel: nil, options: options)
    }

    private init(front: ConnectionInfo, kernel: KernelAddress?, options: RelayOptions) throws(RelayError) {
        bound = Set(Channel.allCases.map(front.endpoint))
        if let kernel { try Self.check(kernel, bound) }
        let mailbox = try Mailbox()
        let counters = Counters()
        let start = try Promise<RelayError?>()
        thread = try Thread(name: "kr-relay") {
            defer { mailbox.close() }
            do throws(RelayError) {
                let loop = try RelayLoop(
                    front: front, kernel: kernel, options: options, counters: counters, mailbox: mailbox)
                try loop.bind()
                start.fulfil(nil)
                loop.run()
            } catch {
                start.fulfil(error)
            }
        }
        self.mailbox = mailbox
        self.counters = counters
        if let failure = start.wait() {
            thread.join()
            throw failure
        }
    }

    private static func check(_ kernel: KernelAddress, _ bound: Set<String>) throws(RelayError) {
        if let shared = kernel.endpoints.values.first(where: bound.contains) {
            throw RelayError(.connectionLoop, shared)
        }
        // What cannot be signed here is refused here, and not on the relay's thread.
        _ = try Signer(scheme: kernel.scheme, key: kernel.key)
    }

    /// Says where the kernel is from now on; it returns at once. The relay parts from a kernel that it had before as
    /// from one that is lost: what that one has said is heard out, what was meant for it is dropped.
    ///
    /// May be called by any thread and any number of times; after ``stop(listening:)`` it does nothing.
    ///
    /// - Parameter name: what the kernel's ROUTERs know the relay by from now on, for one that never saw another.
    package func connect(to kernel: KernelAddress, as name: String? = nil) throws(RelayError) {
        try Self.check(kernel, bound)
        mailbox.connect(to: kernel, as: name)
    }

    /// Says that there is no kernel, and why. A kernel that there was is heard out; then all who wait are answered, and
    /// the relay speaks in its place until it is connected to another. It needs `onEvent`.
    package func speak(_ speech: Speech) { mailbox.speak(speech) }

    /// Binds what could not be bound at the beginning, and waits until that is done.
    package func bindRest() throws(RelayError) {
        let done = try Promise<RelayError?>()
        mailbox.bindRest(done)
        if let failure = done.wait() { throw failure }
    }

    /// What the relay has done so far.
    public var statistics: RelayStatistics { counters.snapshot() }

    /// Says something beside the output of the cell that runs, if one does. May be called as often as one likes.
    package func remark(_ remark: Remark) { mailbox.remark(remark) }

    /// Says something on the notebook's stderr, below the cell that runs or ran last.
    package func announce(_ text: String) { mailbox.announce(text) }

    /// Of a kernel that an earlier relay had nobody knows whether it runs a cell: it counts as working until it has
    /// answered a question, which comes after that cell.
    package func askWhetherItWorks() { mailbox.askWhetherItWorks() }

    /// Whether the kernel's five sockets have answered, and requests pass.
    package var isConnected: Bool { counters.isConnected }

    /// What it has noticed of its kernel and itself.
    package var pulse: RelayPulse { counters.pulse() }

    /// The client that what is held waits for, as far as it can be told.
    package var slowClient: SlowClient? { counters.slowClient }

    /// How long what went through it took.
    package var timings: RelayTimings { counters.timings() }

    /// All messages so far, and the bytes that are held now.
    package var totals: (messages: Int, heldBytes: Int) { counters.totals() }

    /// Ends the relay. When it returns the thread is gone and the ports can be bound by others.
    ///
    /// - Parameter limit: how long the kernel's last words may take. A kernel that has ended is heard out
    ///   at once; one that lives on is listened to for the whole time.
    public func stop(listening limit: Duration = .milliseconds(500)) {
        mailbox.stop(by: .now + limit)
        thread.join()
    }

    deinit { stop(listening: .zero) }
}
