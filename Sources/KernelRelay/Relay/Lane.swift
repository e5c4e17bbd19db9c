import CZMQ
import Glibc

/// One direction of one channel: takes a message from its source, checks and re-signs it, hands it to its
/// sink, and holds it while the sink is full.
///
/// Concurrency: confined to the relay's thread.
///
/// libzmq's descriptors are the reason for the two `may` flags. Every call on a socket may swallow the
/// wake-up that was meant for the other direction, so a lane that has used its source or its sink tells the
/// lane that uses the same socket the other way round, and nobody sleeps before all have looked again.
final class Lane {
    enum Duty {
        /// Checked and signed again. Routed messages need an identity in front.
        case message(routed: Bool)
        /// Bytes that go through as they are.
        case heartbeat
        /// A client's subscription, which goes no further: the relay itself is subscribed to everything.
        case subscription
    }

    let channel: Channel
    let direction: Direction
    private let duty: Duty
    private let counters: Counters
    private let figures: Int
    private let holdLimit: Int

    /// The sockets, while there are any: those behind come and go with the kernel.
    var source: SocketHandle?
    var sink: SocketHandle?
    /// On hb, from the kernel: the relay's own heartbeats, which come back here.
    var pulse: Pulse?
    /// Whether messages may be taken from the source at all.
    var isOpen = false
    /// The source may have a message; false once it said that it has none.
    var mayReceive = true
    /// The sink may have room; false once it refused.
    var maySend = true
    /// While set, what comes was meant for a kernel that has gone.
    private var stale: Stale?
    /// The lane that uses the same two sockets the other way round.
    unowned(unsafe) var opposite: Lane!

    // Unchecked: these three are touched from the relay's thread alone, and never while a call on one of
    // them is under way. The run-time check of that costs a twelfth of a burst.
    @exclusivity(unchecked) private var frames = Frames()
    @exclusivity(unchecked) private var held = HeldMessages()
    @exclusivity(unchecked) private var seal = Seal()
    /// On iopub: makes the kernel's welcome out for clients that come later.
    var greeter: Greeter?
    /// On shell and control, where somebody can signal the kernel: what becomes of an interrupt.
    var interrupts: Interrupts?
    /// Where somebody starts another kernel: who answers while there is none. Not on iopub from the clients.
    var spokesman: Spokesman?
    /// A message that was taken off the source, and is to be the next that comes from it.
    @exclusivity(unchecked) private var returned: Frames?
    /// What the kernel's work looks like from here.
    var activity: Activity?
    /// On control, and on iopub from the kernel, where a debugging front end wants the host's paths.
    var debugPaths: DebugPaths?

    init(
        _ channel: Channel, _ direction: Direction, duty: Duty, holdLimit: Int, counters: Counters
    ) {
        self.channel = channel
        self.direction = direction
        self.duty = duty
        self.holdLimit = holdLimit
        self.counters = counters
        figures = Counters.base(channel, direction)
    }

    /// Whether its messages are signed.
    var isSealed: Bool { if case .message = duty { true } else { false } }

    /// Another kernel has another key. What is held is signed already, under the key of its receiver.
    func change(to seal: consuming Seal) {
        abandon()
        self.seal = seal
    }

    /// Lets go of a message that is only half hashed: its source has gone.
    func abandon() {
        if seal.isBusy { drop(.stale) }
    }

    private var hasRoom: Bool { held.isEmpty || held.bytes < holdLimit || isHearingOut }

    /// Set while a kernel that has gone is heard out: what can still come is bounded by libzmq's pipe and the
    /// socket's buffer, and a client that does not read must not keep the next kernel from being found.
    var isHearingOut = false

    private struct Stale {
        var silentAt: ContinuousClock.Instant
        let endsBy: ContinuousClock.Instant
        var end: ContinuousClock.Instant { min(silentAt, endsBy) }
    }

    /// Whether a turn could move something.
    var isReady: Bool {
        if let spokesman, spokesman.hears(self) { return mayReceive }
        if stale != nil { return mayReceive }
        if !held.isEmpty, maySend, sink != nil { return true }
        if owesGreeting { return true }
        return isOpen && (seal.isBusy || mayReceive) && hasRoom
    }

    /// Whether messages wait for the sink.
    var isHolding: Bool { !held.isEmpty }

    /// Whether the source has nothing more to say for now.
    var isDry: Bool { !seal.isBusy && !mayReceive }

    /// Moves messages until there are none, the sink is full or the burst is over.
    func turn() {
        if let spokesman, spokesman.hears(self) { return spokesman.turn(self) }
        if stale != nil { return discardStale() }
        var allowance = Tuning.burstBytes
        if !held.isEmpty, maySend { sendHeld(&allowance) }
        if owesGreeting { greet() }
        guard isOpen, let source else { return }
        for _ in 0..<Tuning.burstMessages where allowance > 0 && hasRoom {
            if !seal.isBusy {
                switch receive(from: source) {
                case .nothing:
                    mayReceive = false
                    return
                case .refused:
                    mayReceive = true
                    count(.tooManyFrames)
                    continue
                case .message:
                    // There may be another, and nothing will ring for it: this lane may be here for the
                    // sake of what it holds, and the call has swallowed the wake-up.
                    mayReceive = true
                    // The same call may have learnt that this socket can be written to again.
                    opposite.maySend = true
                    if !begin() { continue }
                }
            }
            if seal.isBusy {
                switch seal.advance(&frames, allowance: &allowance) {
                case .unfinished: return
                case .refused(let reason):
                    drop(reason)
                    continue
                case .sealed: break
                }
            }
            if let greeter, greeter.isListening { greeter.hear(frames, seal.layout) }
            if let activity, isSealed, !activity.saw(frames, seal.layout, on: channel, direction) {
                frames.clear()
                continue
            }
            if let debugPaths,
                let content = debugPaths.content(of: frames, seal.layout, on: channel, direction)
            {
                guard seal.change(&frames, content: content) else {
                    drop(.badSignature)
                    continue
                }
            }
            if let interrupts {
                switch interrupts.way(of: frames, seal.layout, on: channel, direction) {
                case .usual: break
                case .other(let lane):
                    lane.handOn(&frames, &allowance)
                    continue
                case .taken:
                    passed(frames.totalSize)
                    frames.clear()
                    continue
                case .late:
                    drop(.lateReply)
                    continue
                }
            }
            spokesman?.watch(frames, seal.layout, on: channel, direction)
            handOn(&frames, &allowance)
        }
    }

    @inline(__always)
    private func receive(from source: SocketHandle) -> Frames.Reception {
        guard let first = returned.take() else { return frames.receive(from: source) }
        frames = first
        return .message
    }

    /// Makes a message the next that comes from the source.
    func putBack(_ message: consuming Frames) {
        returned = consume message
        mayReceive = true
    }

    /// The same message again, if it went nowhere.
    func takeBack() -> Frames? { returned.take() }

    /// Looks at a new message. False when it goes no further.
    private func begin() -> Bool {
        switch duty {
        case .heartbeat:
            guard pulse?.takes(frames) == true else { return true }
            frames.clear()
            return false
        case .subscription:
            if let topic = subscribedTopic {
                passed(frames.totalSize)
                greeter?.owe(topic)
            }
            frames.clear()
            return false
        case .message(let routed):
            if let reason = seal.begin(frames, routed: routed) {
                drop(reason)
                return false
            }
            return true
        }
    }

    /// A subscription is a 1 and a topic.
    private var subscribedTopic: [UInt8]? {
        guard frames.count == 1, (1...Tuning.longestTopic + 1).contains(frames.size(0)) else { return nil }
        let bytes = UnsafeRawBufferPointer(start: frames.bytes(0), count: frames.size(0))
        return bytes[0] == 1 ? Array(bytes.dropFirst()) : nil
    }

    /// Sends a greeting that is owed, behind all that is held.
    private func greet() {
        guard let greeter, sink != nil, hasRoom, var greeting = greeter.next() else { return }
        var allowance = 0
        handOn(&greeting, &allowance)
    }

    private var owesGreeting: Bool {
        guard direction == .toClient, let greeter else { return false }
        return greeter.hasGreetings && hasRoom
    }

    /// Hands on a message of the relay's own, behind all that is held. A client that reads none of them is not sent
    /// them without end.
    func say(_ message: consuming Frames) {
        guard held.bytes < holdLimit + Tuning.ownRoom else { return count(.clientGone) }
        var allowance = 0
        handOn(&message, &allowance)
    }

    private func handOn(_ frames: inout Frames, _ allowance: inout Int) {
        let bytes = frames.totalSize
        if held.isEmpty, let sink {
            let outcome = frames.send(to: sink)
            opposite.mayReceive = true
            switch outcome {
            case .sent:
                allowance -= bytes
                passed(bytes)
                return
            case .gone:
                count(direction == .toClient ? .clientGone : .stale)
                return
            case .full: maySend = false
            }
        }
        held.append(&frames)
        counters.add(1, to: .everHeld, at: figures)
        showHeld()
    }

    private func sendHeld(_ allowance: inout Int) {
        guard let sink else { return }
        sink.refresh()
        defer {
            showHeld()
            opposite.mayReceive = true
        }
        while !held.isEmpty, allowance > 0 {
            let bytes = held.firstSize
            switch held.sendFirst(to: sink) {
            case .sent:
                allowance -= bytes
                passed(bytes)
            case .gone: count(direction == .toClient ? .clientGone : .stale)
            case .full:
                maySend = false
                return
            }
        }
    }

    /// What waits for a kernel that has gone is not for the next one.
    func letGo() {
        discardHeld(as: .stale)
        abandon()
    }

    /// From now on until the client falls silent, everything was meant for a kernel that has gone.
    func becomeStale(now: ContinuousClock.Instant) {
        letGo()
        stale = Stale(silentAt: now + Tuning.staleSilence, endsBy: now + Tuning.staleAtMost)
        mayReceive = true
    }

    /// When ``endStale(now:)`` is due.
    var staleEnd: ContinuousClock.Instant? { stale?.end }

    func endStale(now: ContinuousClock.Instant) {
        guard let end = stale?.end, now >= end else { return }
        stale = nil
        mayReceive = true
    }

    private func discardStale() {
        guard let source else { return }
        for _ in 0..<Tuning.burstMessages {
            if case .nothing = frames.receive(from: source) {
                mayReceive = false
                return
            }
            drop(.stale)
            stale?.silentAt = .now + Tuning.staleSilence
        }
    }

    func discardHeld(as reason: Rejection) {
        if reason == .stopped, seal.isBusy { drop(reason) }
        counters.count(reason, at: figures, times: held.count)
        held.removeAll()
        showHeld()
    }

    func count(_ reason: Rejection) { counters.count(reason, at: figures) }

    private func drop(_ reason: Rejection) {
        frames.clear()
        seal.abandon()
        count(reason)
    }

    @inline(__always)
    private func passed(_ bytes: Int) {
        counters.add(1, to: .messages, at: figures)
        counters.add(bytes, to: .bytes, at: figures)
    }

    private func showHeld() {
        counters.set(.heldMessages, to: held.count, at: figures)
        counters.set(.heldBytes, to: held.bytes, at: figures)
    }
}
