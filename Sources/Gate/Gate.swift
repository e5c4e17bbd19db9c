import CLinux
import Glibc
import RelayLink

/// The process inside a container that tells kernels apart, starts them, and sees them end.
///
/// Concurrency: one thread, the one that calls `run`; an event loop in it, to which all else is confined.
///
/// Its life: it waits for the first hello, which gives it the token and the ports. From then on links come
/// and go, one at a time (`Gate+Links`), and say what is to be done (`Gate+Requests`). It ends when it is told to, or
/// when nobody needs it any more (`Gate+Absence`, `Gate+Ending`).
package final class Gate {
    private let name: String
    let loop: EventLoop
    let registry = Registry()
    let nursery: Nursery
    var multiplexer: Multiplexer?
    var streams: Streams?
    var token: Token?
    var ports: [String: UInt16] = [:]
    let start = Moment.now

    private var signals: Signals?
    var joinListener: Int32 = -1
    private var joinWatch: EventLoop.Watch?
    /// The link that has said hello.
    var link: Link?
    /// Links that have not yet.
    var callers: [ObjectIdentifier: (link: Link, timer: EventLoop.Timer)] = [:]
    var linger: Duration = .seconds(60)
    var leaving: EventLoop.Timer?
    var orphanLimit: Duration = .seconds(600)
    /// While there is no link, and when is looked next whether anybody needs the kernels all the same.
    var absence: Absence?
    var looking: EventLoop.Timer?
    var stopRequests: [Int64] = []
    var isStopping = false
    /// The container's own process, where that ends it at some time, and what it has said of the end.
    var hold: HoldLink?
    var toldEnds = ToldEnds()

    package init(name: String) throws(GateError) {
        self.name = name
        loop = try EventLoop()
        nursery = Nursery(loop, registry: registry)
    }

    /// Serves over stdin and stdout, and returns the exit code.
    package func run() -> Int32 {
        do throws(GateError) {
            try begin()
        } catch {
            return fail(error)
        }
        loop.run()
        finish()
        return 0
    }

    private func begin() throws(GateError) {
        DescriptorLimit.raise()
        // Orphans of kernels become children of the gate, which waits for them; pid 1 of a container often
        // does not. Where it is refused, they are only left as zombies.
        _ = kr_become_subreaper()
        signals = try Signals(loop, [SIGCHLD, SIGTERM, SIGINT]) { [weak self] in self?.signalled($0) }
        nursery.onReport = { [weak self] in self?.report($0) }
        nursery.onLeaderExit = { [weak self] in self?.multiplexer?.kernelEnded($0) }
        nursery.onEnd = { [weak self] in self?.kernelEnded($0) }
        guard let listener = try Sockets.listen(abstract: JoinPoint.name(name)) else {
            throw GateError(.running, name)
        }
        findHold()
        joinListener = listener
        joinWatch = try loop.watch(listener, .readable) { [weak self] _ in self?.acceptJoins() }
        let standard = Link(loop, input: STDIN_FILENO, output: STDOUT_FILENO) {
            // The engine waits for these to close before it tells its client that the exec's output has ended.
            StandardStreams.giveUp()
        }
        try take(standard)
    }

    /// Nobody may be reading frames: it is said in both ways.
    private func fail(_ error: GateError) -> Int32 {
        Complaint.say("relay-shim: \(error)")
        if let bytes = Frame(payload: GateReport.failed(error).json).encoded, isatty(STDOUT_FILENO) == 0 {
            _ = write(STDOUT_FILENO, bytes, bytes.count)
        }
        return error.code == .stdio ? 64 : 69
    }

    private func finish() {
        streams?.closeAll()
        multiplexer?.close()
        joinWatch?.cancel()
        if joinListener >= 0 { close(joinListener) }
    }
}
