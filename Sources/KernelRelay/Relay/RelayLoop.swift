import CZMQ

/// What a relay's thread does: it waits for five sockets in front, five behind, their monitors and a
/// command, and gives every lane its turn.
///
/// Concurrency: made, run and ended on one thread; nothing in it is touched from another but the mailbox
/// and the counters, which say so themselves.
final class RelayLoop {
    private let context: Context
    private let epoll: Epoll
    private let frontInfo: ConnectionInfo
    private let backInfo: ConnectionInfo
    private let credentials: GateCredentials?
    private let counters: Counters
    private let mailbox: Mailbox

    private var front: [Port] = []
    private var back: [Port] = []
    private let toKernel: [Lane]
    private let toClient: [Lane]
    /// All lanes, control first.
    private let lanes: [Lane]
    /// Those that carry what the kernel must not get too early or too late.
    private let requests: [Lane]
    private let greeter: Greeter
    private var callers = [Callers](repeating: Callers(), count: Channel.allCases.count)

    private var life = BackLife(now: .now)
    private var attempts = 0
    private let nonce: String
    private var rung: Set<Ring> = []
    /// Set while the relay's own heartbeat is on its way: when to go on without it.
    private var probeEnds: ContinuousClock.Instant?
    /// Set while requests are about to be let through: when.
    private var admission: ContinuousClock.Instant?
    /// Set once the relay is to end: no later than this.
    private var stopBy: ContinuousClock.Instant?

    /// What a number in the wait call stands for, besides the sockets that are marked at once.
    private enum Ring: Hashable {
        case mailbox
        case frontMonitor(Int)
        case backMonitor(Int)
    }

    private enum Number {
        static let front: UInt64 = 0
        static let back: UInt64 = 8
        static let frontMonitor: UInt64 = 16
        static let backMonitor: UInt64 = 24
        static let mailbox: UInt64 = 32
    }

    init(
        front: ConnectionInfo, back: ConnectionInfo, options: RelayOptions, counters: Counters,
        mailbox: Mailbox
    ) throws(RelayError) {
        var toKernel: [Lane] = []
        var toClient: [Lane] = []
        for channel in Channel.allCases {
            let up = try Self.lane(channel, .toKernel, front, back, hold: 0, counters)
            let down = try Self.lane(channel, .toClient, back, front, hold: options.holdLimit, counters)
            up.opposite = down
            down.opposite = up
            toKernel.append(up)
            toClient.append(down)
        }
        self.toKernel = toKernel
        self.toClient = toClient
        lanes = [Channel.control, .stdin, .shell, .iopub, .hb].flatMap { channel in
            [toKernel, toClient].map { $0.first { $0.channel == channel }! }
        }
        requests = toKernel.filter { $0.channel != .iopub }
        let output = toClient.first { $0.channel == .iopub }!
        greeter = try Greeter(for: front)
        output.greeter = greeter
        output.opposite.greeter = greeter
        output.opposite.isOpen = true
        frontInfo = front
        backInfo = back
        credentials = options.credentials
        self.counters = counters
        self.mailbox = mailbox
        nonce = SigningKey.random().text
        context = try Context()
        epoll = try Epoll()
    }

    private static func lane(
        _ channel: Channel, _ direction: Direction, _ from: ConnectionInfo, _ to: ConnectionInfo, hold: Int,
        _ counters: Counters
    ) throws(RelayError) -> Lane {
        let duty: Lane.Duty =
            switch (channel, direction) {
            case (.hb, _): .heartbeat
            case (.iopub, .toKernel): .subscription
            case (.iopub, .toClient): .message(routed: false)
            default: .message(routed: true)
            }
        let seal = if case .message = duty { try Seal(from: from, to: to) } else { Seal() }
        return Lane(channel, direction, duty: duty, seal: seal, holdLimit: hold, counters: counters)
    }

    /// Binds the front. Before anything slow happens: a client may be probing the ports already.
    func bind() throws(RelayError) {
        try epoll.add(mailbox.descriptor, as: Number.mailbox)
        for (index, channel) in Channel.allCases.enumerated() {
            let port = try Port.front(channel, frontInfo, in: context)
            front.append(port)
            try watch(port, index, Number.front, Number.frontMonitor)
            // libzmq rings for a pipe only once its reader has found it empty: who watches one must ask it once
            // before the first sleep. For the sockets themselves the lanes do so.
            rung.insert(.frontMonitor(index))
            toKernel[index].source = port.handle
            toClient[index].sink = port.handle
        }
    }

    private func watch(_ port: Port, _ index: Int, _ socket: UInt64, _ monitor: UInt64) throws(RelayError) {
        try epoll.add(port.descriptor, as: socket + UInt64(index))
        try epoll.add(port.monitorDescriptor, as: monitor + UInt64(index))
    }

    /// Relays until it is told to stop.
    func run() {
        while true {
            if life.deadline != nil { carryOut(life.step(now: .now, isDry: toClient.allSatisfy(\.isDry))) }
            endStale()
            endProbe()
            admit()
            if let stopBy, isDone(by: stopBy) { return bidFarewell(stopBy) }
            sleep()
            answerRings()
            for lane in lanes where lane.isReady { lane.turn() }
        }
    }

    /// Sends a heartbeat of the relay's own before it lets requests through.
    ///
    /// A handshake says that the kernel's libzmq knows of the connection, and not that its publisher has read
    /// the subscription that came by it: the first `busy` could still be lost. What comes back from the kernel
    /// was sent after the subscription and passed the same I/O thread.
    private func probe() {
        let identity = Array("relay-\(nonce)".utf8)
        for (index, channel) in Channel.allCases.enumerated() where channel == .hb {
            guard let sink = toKernel[index].sink else { continue }
            var heartbeat = Frames([identity, [], Array("relay".utf8)])
            toClient[index].awaitedProbe = identity
            if case .sent = heartbeat.send(to: sink) {}
            toClient[index].mayReceive = true
        }
        probeEnds = .now + Tuning.probeAtMost
    }

    private func endProbe() {
        guard let end = probeEnds else { return }
        if isProbeBack || .now >= end {
            // The publisher looks at new subscriptions when it publishes, though not at every message.
            probeEnds = nil
            admission = .now + Tuning.subscriptionSettles
        }
    }

    private var isProbeBack: Bool { toClient.allSatisfy { $0.awaitedProbe == nil } }

    /// Lets requests through, unless some on their way were still meant for the kernel before.
    private func admit() {
        guard let due = admission, .now >= due, life.phase == .up, stopBy == nil,
            requests.allSatisfy({ $0.staleEnd == nil })
        else { return }
        admission = nil
        counters.add(1, to: .kernelConnections)
        counters.set(.connected, to: 1)
        for lane in requests { lane.isOpen = true }
    }

    private func endStale() {
        guard requests.contains(where: { $0.staleEnd != nil }) else { return }
        let now = ContinuousClock.now
        for lane in requests { lane.endStale(now: now) }
    }

    /// What libzmq has not yet handed to a client may take as long as the caller is ready to wait.
    private func bidFarewell(_ deadline: ContinuousClock.Instant) {
        let left = deadline.milliseconds(from: .now)
        for port in front { port.linger(milliseconds: max(left, Tuning.farewellMilliseconds)) }
    }

    private func sleep() {
        epoll.wait(milliseconds: rung.isEmpty ? patience() : 0) { number in
            let index = Int(number & 7)
            switch number & ~7 {
            case Number.front: toKernel[index].mayReceive = true
            case Number.back: toClient[index].mayReceive = true
            case Number.frontMonitor: rung.insert(.frontMonitor(index))
            case Number.backMonitor: rung.insert(.backMonitor(index))
            default: rung.insert(.mailbox)
            }
        }
        // See Tuning.heldRetry: there is no exact sign that a held message may go now.
        for lane in lanes where lane.isHolding { lane.maySend = true }
    }

    /// How long nothing but an event can matter, in milliseconds; -1 for ever.
    private func patience() -> Int32 {
        var holding = false
        for lane in lanes {
            if lane.isReady { return 0 }
            if lane.isHolding { holding = true }
        }
        var first = life.deadline
        if let probeEnds { first = min(first ?? probeEnds, probeEnds) }
        // What is stale keeps an admission waiting, however long it is due.
        var due = admission
        for lane in requests {
            if let end = lane.staleEnd { due = max(due ?? end, end) }
        }
        if let due { first = min(first ?? due, due) }
        if let stopBy { first = min(first ?? stopBy, stopBy) }
        if holding {
            let retry = ContinuousClock.now + Tuning.heldRetry
            first = min(first ?? retry, retry)
        }
        return first?.milliseconds(from: .now) ?? -1
    }

    private func answerRings() {
        if rung.isEmpty { return }
        for ring in rung {
            switch ring {
            case .mailbox: obey()
            case .frontMonitor(let index): hearFront(index)
            case .backMonitor(let index): hearBack(index)
            }
        }
        rung.removeAll(keepingCapacity: true)
    }

    private func obey() {
        guard case .stop(let deadline)? = mailbox.take() else { return }
        stopBy = deadline
        for lane in requests { lane.isOpen = false }
    }

    /// Whether all that the kernel said has been handed on, or the time for it is over.
    private func isDone(by deadline: ContinuousClock.Instant) -> Bool {
        if ContinuousClock.now >= deadline { return true }
        return !life.mayHear && toClient.allSatisfy { $0.isDry && !$0.isHolding }
    }

    private func hearFront(_ index: Int) {
        while let event = front[index].nextEvent() {
            switch event {
            case .accepted(let descriptor): callers[index].accepted(descriptor)
            case .handshakeDone: callers[index].shookHands()
            case .disconnected(let descriptor):
                if callers[index].left(descriptor) { toKernel[index].count(.handshake) }
            case .handshakeFailed, .refused: break
            }
        }
    }

    private func hearBack(_ index: Int) {
        let channel = Channel.allCases[index]
        while back.indices.contains(index), let event = back[index].nextEvent() {
            // What the connection brought came before its end.
            toClient[index].mayReceive = true
            let now = ContinuousClock.now
            switch event {
            case .handshakeDone: carryOut(life.handle(.handshakeDone(channel), now: now))
            case .handshakeFailed, .disconnected: carryOut(life.handle(.lost(channel), now: now))
            case .accepted: break
            case .refused: carryOut(life.handle(.refused(channel), now: now))
            }
        }
    }

    private func carryOut(_ actions: [BackLife.Action]) {
        for lane in toClient { lane.isHearingOut = life.isEnding }
        for action in actions {
            switch action {
            case .open where stopBy != nil: break
            case .open: openBack()
            case .admit: probe()
            case .shut:
                probeEnds = nil
                admission = nil
                counters.set(.connected, to: 0)
                for lane in requests {
                    lane.isOpen = false
                    lane.becomeStale(now: .now)
                }
            case .close: closeBack()
            }
        }
    }

    private func openBack() {
        attempts += 1
        greeter.forget()
        let identity = "relay-\(nonce.prefix(16))-\(attempts)"
        do throws(RelayError) {
            for (index, channel) in Channel.allCases.enumerated() {
                let port = try Port.back(channel, backInfo, credentials, identity: identity, in: context)
                back.append(port)
                try watch(port, index, Number.back, Number.backMonitor)
                rung.insert(.backMonitor(index))
                toKernel[index].sink = port.handle
                toClient[index].source = port.handle
                toClient[index].isOpen = true
            }
        } catch {
            // Descriptors or memory have run out (what is wrong with the description itself was refused before
            // the start): the same as a kernel that cannot be reached, and tried again in the same way.
            for channel in Channel.allCases { carryOut(life.handle(.refused(channel), now: .now)) }
        }
    }

    private func closeBack() {
        if counters.isConnected {
            counters.set(.connected, to: 0)
        } else {
            counters.add(1, to: .failedConnects)
        }
        for index in Channel.allCases.indices {
            toKernel[index].sink = nil
            toClient[index].source = nil
            toClient[index].isOpen = false
            toClient[index].mayReceive = false
        }
        for port in back {
            epoll.remove(port.descriptor)
            epoll.remove(port.monitorDescriptor)
        }
        back = []
    }

    /// Closes everything; when it returns the ports belong to nobody.
    deinit {
        counters.set(.connected, to: 0)
        for lane in lanes { lane.discardHeld(as: .stopped) }
        back = []
        front = []
    }
}
