import Glibc
import RelayLink

/// One connection from outside, from its first byte to its last.
///
/// Concurrency: confined to the gate's thread. Everything that can happen to it comes from the event loop,
/// and everything that it must tell goes to the multiplexer.
final class Connection {
    enum Phase {
        /// Has not shown the token.
        case stranger
        /// Has, and is about to say what it is.
        case guest
        /// Its kernel does not listen yet.
        case waiting
        /// A connect to the kernel is under way.
        case connecting
        /// The kernel's part of the handshake.
        case joining
        /// Bytes flow.
        case flowing
        /// Told to go; given a moment to read why.
        case refused
        case closed
    }

    private(set) var phase = Phase.stranger
    private(set) var address: Registry.Address?
    private let multiplexer: Multiplexer
    private let loop: EventLoop
    private let outer: Int32
    private var inner: Int32 = -1
    private var outerWatch: EventLoop.Watch?
    private var innerWatch: EventLoop.Watch?
    private var timer: EventLoop.Timer?

    private var server = PlainServer()
    private var client: NullClient?
    private var metadata: [UInt8] = []
    private var toKernel: Flow?
    private var toClient: Flow?
    private var hasTurnDue = false

    init(_ outer: Int32, in multiplexer: Multiplexer) {
        self.outer = outer
        self.multiplexer = multiplexer
        loop = multiplexer.loop
    }

    func start() {
        do throws(GateError) {
            outerWatch = try loop.watch(outer) { [weak self] in self?.outerChanged($0) }
        } catch {
            return close()
        }
        timer = loop.after(multiplexer.strangerDeadline) { [weak self] in self?.refuse(.deadline) }
        send(PlainServer.greeting, to: outer)
    }

    /// And not by a stream of the link, which is a socket of another kind.
    var cameByPort: Bool { Sockets.localPort(of: outer) != nil }

    // MARK: - Events

    private func outerChanged(_ events: EventLoop.Events) {
        switch phase {
        case .stranger, .guest: hearClient()
        case .waiting, .connecting, .joining:
            if !events.isDisjoint(with: .ended) { hangUp() }
        case .flowing:
            if !events.isDisjoint(with: [.readable, .ended]) { toKernel?.mayRead = true }
            if !events.isDisjoint(with: [.writable, .ended]) { toClient?.mayWrite = true }
            flow()
        case .refused: drainRefused()
        case .closed: break
        }
    }

    private func innerChanged(_ events: EventLoop.Events) {
        switch phase {
        case .connecting: connectEnded()
        case .joining: hearKernel()
        case .flowing:
            if !events.isDisjoint(with: [.readable, .ended]) { toClient?.mayRead = true }
            if !events.isDisjoint(with: [.writable, .ended]) { toKernel?.mayWrite = true }
            flow()
        default: break
        }
    }

    // MARK: - The client's handshake

    private func hearClient() {
        while phase == .stranger || phase == .guest {
            guard let bytes = receive(from: outer) else { return }
            if bytes.isEmpty { return hangUp() }
            carryOut(server.receive(bytes))
        }
    }

    private func carryOut(_ actions: [PlainServer.Action]) {
        for action in actions {
            switch action {
            case .send(let bytes): send(bytes, to: outer)
            case .authenticate(let user, let password):
                let known = multiplexer.admit(user: user, password: password)
                if let known {
                    address = known
                    phase = .guest
                    multiplexer.becameGuest(self)
                    setDeadline(multiplexer.kernelDeadline, .kernelSilent)
                }
                carryOut(server.answer(accepted: known != nil))
            case .join(let metadata):
                self.metadata = metadata
                dial()
            case .refuse(let refusal, let reply): end(refusal, reply)
            }
        }
    }

    private func setDeadline(_ duration: Duration, _ refusal: Refusal) {
        timer?.cancel()
        timer = loop.after(duration) { [weak self] in self?.refuse(refusal) }
    }

    // MARK: - The kernel's handshake

    /// Tries to reach the kernel; called again until it listens.
    func dial() {
        guard let address, let place = multiplexer.registry.place(of: address) else {
            return refuse(.kernelEnded)
        }
        switch Sockets.connect(place) {
        case .connected(let descriptor): join(descriptor)
        case .pending(let descriptor):
            phase = .connecting
            watchInner(descriptor)
        case .refused, .failed: wait()
        }
    }

    private func wait() {
        phase = .waiting
        multiplexer.wait(self)
    }

    private func watchInner(_ descriptor: Int32) {
        inner = descriptor
        do {
            innerWatch = try loop.watch(descriptor) { [weak self] in self?.innerChanged($0) }
        } catch {
            dropInner()
            wait()
        }
    }

    private func dropInner() {
        innerWatch?.cancel()
        innerWatch = nil
        if inner >= 0 { Glibc.close(inner) }
        inner = -1
    }

    private func connectEnded() {
        guard Sockets.outcome(of: inner) == 0, !Sockets.isJoinedToItself(inner) else {
            dropInner()
            return wait()
        }
        beginJoining()
    }

    private func join(_ descriptor: Int32) {
        if Sockets.isJoinedToItself(descriptor) {
            Glibc.close(descriptor)
            return wait()
        }
        watchInner(descriptor)
        if inner >= 0 { beginJoining() }
    }

    private func beginJoining() {
        phase = .joining
        client = NullClient(metadata: metadata)
        send(NullClient.greeting, to: inner)
        hearKernel()
    }

    private func hearKernel() {
        while phase == .joining {
            guard let bytes = receive(from: inner) else { return }
            // A socket that was closed with the connection in its backlog: the kernel may be ending, or
            // binding again.
            if bytes.isEmpty {
                dropInner()
                return wait()
            }
            for action in client?.receive(bytes) ?? [] {
                switch action {
                case .send(let bytes): send(bytes, to: inner)
                case .joined(let ready): startFlowing(ready)
                case .refuse(let refusal): refuse(refusal)
                }
            }
        }
    }

    // MARK: - Flowing

    private func startFlowing(_ ready: [UInt8]) {
        phase = .flowing
        timer?.cancel()
        timer = nil
        let first = ready + (client?.surplus ?? [])
        toKernel = Flow(from: outer, to: inner, splicing: Self.isTCP(outer), first: server.surplus)
        toClient = Flow(from: inner, to: outer, splicing: Self.isTCP(inner), first: first)
        client = nil
        metadata = []
        multiplexer.joined(self)
        flow()
    }

    private static func isTCP(_ descriptor: Int32) -> Bool { Sockets.localPort(of: descriptor) != nil }

    /// Gives both directions their turn.
    private func flow() {
        guard let toKernel, let toClient, phase == .flowing else { return }
        let scratch = multiplexer.scratch
        let more = [toKernel.turn(scratch), toClient.turn(scratch)].contains(true)
        if toKernel.isOver && toClient.isOver { return close() }
        if (toKernel.isOver || toClient.isOver) && timer == nil { expectEnd() }
        if more, !hasTurnDue {
            hasTurnDue = true
            loop.again { [weak self] in
                self?.hasTurnDue = false
                self?.flow()
            }
        }
    }

    private var moved: Int64 { (toKernel?.bytes ?? 0) + (toClient?.bytes ?? 0) }

    /// One side is through, or the kernel has gone: closes the connection once nothing moves any more.
    func expectEnd() {
        guard phase == .flowing else { return }
        let before = moved
        timer?.cancel()
        timer = loop.after(Tuning.halfOpenSilence) { [weak self] in
            guard let self else { return }
            if moved == before { close() } else { expectEnd() }
        }
    }

    // MARK: - The end

    /// Ends a handshake for a reason that was found outside of it.
    func refuse(_ refusal: Refusal) {
        switch phase {
        case .flowing, .closed: return
        case .refused: close()
        default:
            if case .refuse(let refusal, let reply) = server.refuse(refusal) { end(refusal, reply) }
        }
    }

    private func end(_ refusal: Refusal, _ reply: [UInt8]) {
        guard phase != .closed, phase != .refused else { return }
        multiplexer.count(refusal)
        dropInner()
        timer?.cancel()
        phase = .refused
        if !reply.isEmpty { send(reply, to: outer) }
        // As with a direction that nobody takes: what is unread would turn the close into a reset, and the
        // reply would be lost.
        shutdown(outer, Int32(SHUT_WR))
        timer = loop.after(Tuning.refusalLinger) { [weak self] in self?.close() }
        drainRefused()
    }

    private func drainRefused() {
        // A stranger that goes on talking is not listened to for long.
        for _ in 0..<16 {
            guard let bytes = receive(from: outer) else { return }
            if bytes.isEmpty { return close() }
        }
        close()
    }

    private func hangUp() {
        multiplexer.count(.hungUp)
        close()
    }

    func close() {
        guard phase != .closed else { return }
        phase = .closed
        timer?.cancel()
        dropInner()
        outerWatch?.cancel()
        Glibc.close(outer)
        multiplexer.closed(self, toKernel: toKernel?.bytes ?? 0, toClient: toClient?.bytes ?? 0)
        toKernel = nil
        toClient = nil
    }

    // MARK: - Bytes of a handshake

    /// Nothing when there is nothing yet; no bytes at the end.
    private func receive(from descriptor: Int32) -> [UInt8]? {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            var received = 0
            repeat {
                received = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            } while received < 0 && errno == EINTR
            if received < 0 { failure = errno }
            count = max(0, received)
        }
        return failure == EAGAIN ? nil : bytes
    }

    /// A handshake's few bytes always fit an empty socket buffer; a peer for which they do not is gone, and
    /// the next read says so.
    private func send(_ bytes: [UInt8], to descriptor: Int32) {
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
