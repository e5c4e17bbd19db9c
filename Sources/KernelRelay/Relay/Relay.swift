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

    /// Binds the five endpoints of `front` and begins to look for the kernel at `back`.
    ///
    /// It does not wait for the kernel: requests wait in front until its five sockets have answered.
    ///
    /// - Throws: ``RelayError`` when a port cannot be bound or the system has no room for another relay.
    public init(front: ConnectionInfo, back: ConnectionInfo, options: RelayOptions = .init())
        throws(RelayError)
    {
        try Self.check(front, back, options)
        let mailbox = try Mailbox()
        let counters = Counters()
        let start = try Promise<RelayError?>()
        thread = try Thread(name: "kr-relay") {
            do throws(RelayError) {
                let loop = try RelayLoop(
                    front: front, back: back, options: options, counters: counters, mailbox: mailbox)
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

    /// Refuses what would only be found out at every attempt to reach the kernel.
    private static func check(
        _ front: ConnectionInfo, _ back: ConnectionInfo, _ options: RelayOptions
    ) throws(RelayError) {
        let bound = Set(Channel.allCases.map(front.endpoint))
        if let shared = Channel.allCases.map(back.endpoint).first(where: bound.contains) {
            throw RelayError(.connectionLoop, shared)
        }
        if back.ip == "*" { throw RelayError(.connectionAddress, "a kernel cannot be reached at “*”") }
        guard let credentials = options.credentials else { return }
        guard (1...240).contains(credentials.kernel.utf8.count),
            (1...255).contains(credentials.token.utf8.count)
        else {
            throw RelayError(.credentials, "a kernel id of \(credentials.kernel.utf8.count) bytes")
        }
        // A connection has one mechanism: PLAIN would silently take the place of CURVE.
        if back.curve != nil { throw RelayError(.credentials, "CURVE keys behind a gate") }
    }

    /// What the relay has done so far.
    public var statistics: RelayStatistics { counters.snapshot() }

    /// Ends the relay. When it returns the thread is gone and the ports can be bound by others.
    ///
    /// - Parameter limit: how long the kernel's last words may take. A kernel that has ended is heard out
    ///   at once; one that lives on is listened to for the whole time.
    public func stop(listening limit: Duration = .milliseconds(500)) {
        mailbox.put(.stop(by: .now + limit))
        thread.join()
    }

    deinit { stop(listening: .zero) }
}
