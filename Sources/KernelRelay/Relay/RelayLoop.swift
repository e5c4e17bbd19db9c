import CZMQ

/// What a relay's thread does: it waits for five sockets in front, five behind, their monitors and a
/// command, and gives every lane its turn.
///
/// Concurrency: made, run and ended on one thread; nothing in it is touched from another but the mailbox
/// and the counters, which say so themselves.
final class RelayLoop {
    let context: Context
    let epoll: Epoll
    let frontInfo: ConnectionInfo
    /// Where the five sockets behind are connected, or will be; nothing as long as nobody has said it.
    var kernel: KernelAddress?
    /// Where they will be once the present ones are closed: until then the old key is the right one.
    var nextKernel: KernelAddress?
    let counters: Counters
    private let mailbox: Mailbox

    /// By channel; nothing where a port is taken, and the relay speaks without it.
    private var front: [Port?] = Channel.allCases.map { _ in nil }
    private let bindsWhatItCan: Bool
    var back: [Port] = []
    let toKernel: [Lane]
    let toClient: [Lane]
    /// All lanes, control first.
    private let lanes: [Lane]
    /// Those that carry what the kernel must not get too early or too late.
    let requests: [Lane]
    let greeter: Greeter
    let interrupts: Interrupts?
    /// Answers while there is no kernel, where another can be started.
    let spokesman: Spokesman?
    let pulse: Pulse
    let activity: Activity?
    var callers = [Callers](repeating: Callers(), count: Channel.allCases.count)

    var life: BackLife
    var attempts = 0
    /// Whether the present attempt got as far as five handshakes.
    var wasReached = false
    var nonce: String
    var rung: Set<Ring> = []
    /// Set while the relay's own heartbeat is on its way: when to go on without it.
    var probeEnds: ContinuousClock.Instant?
    /// Set while requests are about to be let through: when.
    var admission: ContinuousClock.Instant?
    /// Since when something waits for a client, and when it was looked last for whom.
    var holding: (since: ContinuousClock.Instant, looked: ContinuousClock.Instant)?
    /// Set once the relay is to end: no later than this.
    var stopBy: ContinuousClock.Instant?

    /// What a number in the wait call stands for, besides the sockets that are marked at once.
    enum Ring: Hashable {
        case mailbox
        case frontMonitor(Int)
        case backMonitor(Int)
    }

    enum Number {
        static let front: UInt64 = 0
        static let back: UInt64 = 8
        static let frontMonitor: UInt64 = 16
        static let backMonitor: UInt64 = 24
        static let mailbox: UInt64 = 32
    }

    init(
        front: ConnectionInfo, kernel: KernelAddress?, options: RelayOptions, counters: Counters,
        mailbox: Mailbox
    ) throws(RelayError) {
        var toKernel: [Lane] = []
        var toClient: [Lane] = []
        for channel in Channel.allCases {
            let up = Self.lane(channel, .toKernel, hold: 0, counters)
            let down = Self.lane(channel, .toClient, hold: options.holdLimit, counters)
            up.opposite = down
            down.opposite = up
            // There is nobody behind yet.
            down.mayReceive = false
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
        let maker = try MessageMaker(for: front)
        greeter = Greeter(maker)
        output.greeter = greeter
        output.opposite.greeter = greeter
        output.opposite.isOpen = true
        interrupts = Interrupts(
            options, maker, counters,
            .init(toKernel: toKernel, toClient: toClient))
        for lane in toKernel + toClient where [.shell, .control].contains(lane.channel) {
            lane.interrupts = interrupts
        }
        spokesman = try Spokesman(options, maker, front, .init(toKernel: toKernel, toClient: toClient))
        for lane in toKernel + toClient where lane.direction == .toClient || lane.channel != .iopub {
            lane.spokesman = spokesman
        }
        bindsWhatItCan = options.bindsWhatItCan && spokesman != nil
        frontInfo = front
        nextKernel = kernel
        life = BackLife(now: .now, isKnown: kernel != nil)
        self.counters = counters
        self.mailbox = mailbox
        let nonce = options.routingName ?? SigningKey.random().text
        self.nonce = nonce
        pulse = Pulse(Array("relay-\(nonce)".utf8), counters)
        activity = options.isWatched ? Activity(counters) : nil
        for lane in toKernel + toClient {
            lane.activity = activity
            if lane.channel == .hb, lane.direction == .toClient { lane.pulse = pulse }
        }
        context = try Context()
        epoll = try Epoll()
    }

    private static func lane(
        _ channel: Channel, _ direction: Direction, hold: Int, _ counters: Counters
    ) -> Lane {
        let duty: Lane.Duty =
            switch (channel, direction) {
            case (.hb, _): .heartbeat
            case (.iopub, .toKernel): .subscription
            case (.iopub, .toClient): .message(routed: false)
            default: .message(routed: true)
            }
        return Lane(channel, direction, duty: duty, holdLimit: hold, counters: counters)
    }

    /// Binds the front. Before anything slow happens: a client may be probing the ports already.
    func bind() throws(RelayError) {
        try epoll.add(mailbox.descriptor, as: Number.mailbox)
        for (index, channel) in Channel.allCases.enumerated() {
            do throws(RelayError) {
                try bind(channel, index)
            } catch {
                let isNeeded = channel == .shell || channel == .iopub
                guard bindsWhatItCan, !isNeeded, error.code == .portInUse else { throw error }
            }
        }
    }

    private func bind(_ channel: Channel, _ index: Int) throws(RelayError) {
        guard front[index] == nil else { return }
        let port = try Port.front(channel, frontInfo, in: context)
        front[index] = port
        try watch(port, index, Number.front, Number.frontMonitor)
        // libzmq rings for a pipe only once its reader has found it empty: who watches one must ask it once
        // before the first sleep. For the sockets themselves the lanes do so.
        rung.insert(.frontMonitor(index))
        toKernel[index].source = port.handle
        toKernel[index].mayReceive = true
        toClient[index].sink = port.handle
    }

    /// Binds what was taken at the beginning.
    private func bindRest() -> RelayError? {
        do throws(RelayError) {
            for (index, channel) in Channel.allCases.enumerated() { try bind(channel, index) }
            return nil
        } catch {
            return error
        }
    }

    func watch(_ port: Port, _ index: Int, _ socket: UInt64, _ monitor: UInt64) throws(RelayError) {
        try epoll.add(port.descriptor, as: socket + UInt64(index))
        try epoll.add(port.monitorDescriptor, as: monitor + UInt64(index))
    }

    /// Relays until it is told to stop.
    func run() {
        while true {
            if life.deadline != nil { carryOut(life.step(now: .now, isDry: toClient.allSatisfy(\.isDry))) }
            if life.phase == .unknown { spokesman?.begin() }
            endStale()
            endProbe()
            admit()
            if let stopBy, isDone(by: stopBy) { return bidFarewell(stopBy) }
            sleep()
            observe()
            answerRings()
            for lane in lanes where lane.isReady { lane.turn() }
            interrupts?.carryOut()
        }
    }

    /// What libzmq has not yet handed to a client may take as long as the caller is ready to wait.
    private func bidFarewell(_ deadline: ContinuousClock.Instant) {
        let left = deadline.milliseconds(from: .now)
        for port in front.compactMap(\.self) {
            port.linger(milliseconds: max(left, Tuning.farewellMilliseconds))
        }
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
        if let activity {
            let pace = activity.beatEvery
            counters.set(.longestSleep, to: Int(clamping: pace.nanoseconds))
            if let due = pulse.deadline(every: pace) { first = min(first ?? due, due) }
        }
        // What is stale keeps an admission waiting, however long it is due.
        var due = admission
        for lane in requests {
            if let end = lane.staleEnd { due = max(due ?? end, end) }
        }
        if let due { first = min(first ?? due, due) }
        if let stopBy { first = min(first ?? stopBy, stopBy) }
        if let due = interrupts?.deadline { first = min(first ?? due, due) }
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
        let commands = mailbox.take()
        if let deadline = commands.stop {
            stopBy = deadline
            for lane in requests { lane.isOpen = false }
        }
        for remark in commands.remarks { spokesman?.say(remark) }
        for text in commands.announcements { spokesman?.announce(text) }
        if commands.asks { askWhetherItWorks() }
        if let speech = commands.speech {
            spokesman?.prepare(speech)
            carryOut(life.handle(.gone, now: .now))
        }
        if let kernel = commands.kernel, stopBy == nil {
            nextKernel = kernel.address
            if let name = kernel.name {
                nonce = name
                attempts = 0
            }
            carryOut(life.handle(.named, now: .now))
        }
        if let binding = commands.binding { binding.fulfil(bindRest()) }
    }

    /// Whether all that the kernel said has been handed on, or the time for it is over.
    private func isDone(by deadline: ContinuousClock.Instant) -> Bool {
        if ContinuousClock.now >= deadline { return true }
        if spokesman?.isPrepared == true { return false }
        return !life.mayHear && toClient.allSatisfy { $0.isDry && !$0.isHolding }
    }

    private func hearFront(_ index: Int) {
        while let event = front[index]?.nextEvent() {
            switch event {
            case .accepted(let descriptor): callers[index].accepted(descriptor)
            case .handshakeDone: callers[index].shookHands()
            case .disconnected(let descriptor):
                if callers[index].left(descriptor) { toKernel[index].count(.handshake) }
            case .handshakeFailed, .refused: break
            }
        }
    }

    /// Closes everything; when it returns the ports belong to nobody.
    deinit {
        counters.set(.connected, to: 0)
        for lane in lanes { lane.discardHeld(as: .stopped) }
        back = []
        front = []
    }
}
