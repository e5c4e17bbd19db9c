/// Sees to it that an interrupt interrupts, whatever the kernel makes of the message.
///
/// Some kernels know no `interrupt_request`, some do not read it while they are busy, and some clients send it on
/// shell, where no kernel reads before the cell ends. Where somebody can signal the kernel, the relay has that done,
/// and answers in the kernel's name. Who answers what is ``InterruptTable``'s to say; here it is carried out.
///
/// Concurrency: confined to the relay's thread.
final class Interrupts {
    /// Where a message goes.
    enum Way {
        case usual
        /// To the sink of another lane.
        case other(Lane)
        /// Nowhere: the relay answers it.
        case taken
        /// Nowhere: the relay has answered what it answers.
        case late
    }

    /// The lanes between which it leads. They own this object, and the loop owns them.
    struct Lanes {
        unowned let toControl: Lane
        unowned let shell: Lane
        unowned let control: Lane
        unowned let output: Lane

        init(toKernel: [Lane], toClient: [Lane]) {
            func lane(_ lanes: [Lane], _ channel: Channel) -> Lane { lanes.first { $0.channel == channel }! }
            toControl = lane(toKernel, .control)
            shell = lane(toClient, .shell)
            control = lane(toClient, .control)
            output = lane(toClient, .iopub)
        }
    }

    private var table: InterruptTable
    private let signal: @Sendable () -> Void
    private let maker: MessageMaker
    private let counters: Counters
    private let lanes: Lanes
    /// What the relay calls itself where a kernel would name its session.
    private let session = "relay-\(SigningKey.random().text.prefix(16))"

    /// Nothing where nobody signals: then an interrupt is a message like any other.
    init?(_ options: RelayOptions, _ maker: MessageMaker, _ counters: Counters, _ lanes: Lanes) {
        guard let signal = options.onInterrupt else { return nil }
        table = InterruptTable(options.interrupt)
        self.signal = signal
        self.maker = maker
        self.counters = counters
        self.lanes = lanes
    }

    /// Looks at a message that was verified. What has to do with no interrupt is told from the rest without being
    /// parsed.
    @inline(__always)
    func way(of frames: borrowing Frames, _ layout: Layout, on channel: Channel, _ direction: Direction)
        -> Way
    {
        switch direction {
        case .toKernel:
            frames.mentions("\"interrupt_request\"", layout) ? ask(frames, layout, channel) : .usual
        case .toClient where channel == .control && table.awaitsAnswer:
            frames.mentions("\"interrupt_reply\"", layout) ? answer(frames, layout) : .usual
        case .toClient: .usual
        }
    }

    /// The word may stand anywhere in the header, in a user's name for one: only the type counts.
    private func ask(_ frames: borrowing Frames, _ layout: Layout, _ channel: Channel) -> Way {
        guard let header = MessageHeader(frames.view(layout.header)), header.type == "interrupt_request",
            let identities = frames.identities(layout)
        else { return .usual }
        let request = InterruptTable.Request(
            id: header.id, channel: channel, identities: identities, header: Array(frames.view(layout.header))
        )
        return switch table.ask(request, now: .now) {
        case .passOn: .usual
        case .toControl: .other(lanes.toControl)
        case .take: .taken
        }
    }

    private func answer(_ frames: borrowing Frames, _ layout: Layout) -> Way {
        guard MessageHeader(frames.view(layout.header))?.type == "interrupt_reply",
            let parent = MessageHeader(frames.view(layout.parentHeader))
        else { return .usual }
        return switch table.answer(to: parent.id) {
        case .passOn: .usual
        case .to(let channel): .other(channel == .shell ? lanes.shell : lanes.control)
        case .drop: .late
        }
    }

    /// When ``carryOut()`` has something to do, if not at once.
    var deadline: ContinuousClock.Instant? { table.deadline }

    /// Has the kernel signalled and answers those who asked for it, when it is time.
    func carryOut() {
        guard table.hasTaken || table.deadline.map({ $0 <= .now }) == true else { return }
        let requests = table.collect(now: .now)
        signal()
        counters.add(1, to: .interrupts)
        for request in requests { answer(request) }
    }

    /// As a kernel would: busy and idle around the reply, or a client that waits for them waits for ever.
    private func answer(_ request: InterruptTable.Request) {
        let topic = [Array("kernel.status".utf8)]
        say("status", #"{"execution_state": "busy"}"#, to: topic, request, on: lanes.output)
        say(
            "interrupt_reply", #"{"status": "ok"}"#, to: request.identities, request,
            on: request.channel == .shell ? lanes.shell : lanes.control)
        say("status", #"{"execution_state": "idle"}"#, to: topic, request, on: lanes.output)
    }

    private func say(
        _ type: String, _ content: String, to identities: [[UInt8]], _ request: InterruptTable.Request,
        on lane: Lane
    ) {
        let header = MessageHeader(
            id: "", type: type, username: "kernel", session: session, date: nil, version: "5.3")
        let made = maker.message(
            to: identities, header, answering: request.header, content: Array(content.utf8))
        if let made { lane.say(made) }
    }

    /// The kernel is lost.
    func standDown() { table.standDown() }

    /// Another kernel is looked for.
    func forget() { table.forget() }
}
