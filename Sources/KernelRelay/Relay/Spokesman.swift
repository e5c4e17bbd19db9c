import RelayLink

/// Speaks for the kernel where there is none: after a launch that failed, and after a death.
///
/// It answers what it can, from ``StandIn``'s table. A cell it keeps, and asks for another attempt to launch; then it
/// reads no further. When a kernel comes of it the cell is the first that the kernel gets, and what stands behind it in
/// the sockets follows; when none does, the cell is answered with the reason.
///
/// Concurrency: confined to the relay's thread.
final class Spokesman {
    private enum Duty {
        /// A kernel has the word, or will have: the first launch is under way, or a dead kernel is heard out.
        case silent
        case speaking
        /// A cell is kept, and the launch is tried again.
        case waiting
    }

    /// The lanes by which it hears and speaks. They own this object, and the loop owns them.
    struct Lanes {
        unowned let toShell: Lane
        unowned let shell, control, output, heartbeat: Lane

        init(toKernel: [Lane], toClient: [Lane]) {
            func lane(_ lanes: [Lane], _ channel: Channel) -> Lane { lanes.first { $0.channel == channel }! }
            toShell = lane(toKernel, .shell)
            shell = lane(toClient, .shell)
            control = lane(toClient, .control)
            output = lane(toClient, .iopub)
            heartbeat = lane(toClient, .hb)
        }
    }

    private let maker: MessageMaker
    private let lanes: Lanes
    private let tell: @Sendable (RelayEvent) -> Void
    /// Checks under the front's key, and changes nothing.
    private var seal: Seal
    private var frames = Frames()
    private let session = "relay-\(SigningKey.random().text.prefix(16))"

    private var duty = Duty.silent
    private var speech: Speech?
    /// What is to be said once the kernel that died was heard out.
    private var next: Speech?
    private var kept: Frames?
    private var keptCell: Cell?
    private var open = OpenCells()
    /// The header of the cell that was told of a trouble, and of which.
    private var told: (cell: [UInt8], trouble: String)?
    /// Cells that came before the reason that they are to be given.
    private var collected: [Cell]?
    private var count = 0

    init?(_ options: RelayOptions, _ maker: MessageMaker, _ front: ConnectionInfo, _ lanes: Lanes)
        throws(RelayError)
    {
        guard let tell = options.onEvent else { return nil }
        self.tell = tell
        self.maker = maker
        self.lanes = lanes
        seal = try Seal(from: (front.scheme, front.key), to: (front.scheme, front.key))
    }

    // MARK: - While a kernel has the word

    /// Looks at a verified message that passes. What has to do with nothing here is told from the rest unparsed.
    @inline(__always)
    func watch(_ frames: borrowing Frames, _ layout: Layout, on channel: Channel, _ direction: Direction) {
        if channel == .iopub {
            if told != nil, direction == .toClient { hearIdle(frames, layout) }
            return
        }
        // What comes by hb is signed by nobody, and may say anything.
        guard channel == .shell || channel == .control else { return }
        switch direction {
        case .toKernel:
            if channel == .shell, frames.mentions("\"execute_request\"", layout) {
                open.add(frames, layout)
            } else if frames.mentions("\"shutdown_request\"", layout) {
                hearShutdown(frames, layout)
            }
        case .toClient:
            if channel == .shell, !open.isEmpty, frames.mentions("\"execute_reply\"", layout) {
                if told != nil { ended(frames.view(layout.parentHeader)) }
                open.settle(frames.view(layout.parentHeader))
            }
        }
    }

    /// Says something beside the output of the cell that runs, on its stderr; where none runs nobody looks. A cell is told
    /// once of a trouble, again when it turns out to be another, and of its end when it was told of one.
    func say(_ remark: Remark) {
        guard duty == .silent, let cell = open.first else { return }
        let known = told?.cell == cell.header ? told?.trouble : nil
        guard remark.trouble != known else { return }
        told = remark.trouble.map { (cell.header, $0) }
        say(
            .publish("stream", ["name": "stderr", "text": .string(remark.text)]), to: cell, on: .shell)
    }

    /// The cell that was told of a trouble may end before anybody has looked again. Its reply or, where that comes first, its
    /// being idle is the last moment to say that it went on: behind both nobody reads.
    private func ended(_ parent: UnsafeRawBufferPointer) {
        guard let cell = open.first, told?.cell == cell.header, let id = MessageID.find(in: parent),
            id == cell.header.withUnsafeBytes({ MessageID.find(in: $0) })
        else { return }
        say(.over)
    }

    private func hearIdle(_ frames: borrowing Frames, _ layout: Layout) {
        guard frames.size(layout.content) <= Tuning.longestStatus else { return }
        let content = Array(frames.view(layout.content))
        guard (try? JSON(parsing: content))?.fields?["execution_state"]?.text == "idle" else { return }
        ended(frames.view(layout.parentHeader))
    }

    /// Says something on stderr, below the cell that runs or else the last one, where a notebook shows it. Where there was
    /// none it belongs to no cell, and is for those who show what belongs to none.
    func announce(_ text: String) {
        guard duty == .silent else { return }
        let header = open.first?.header ?? open.latest ?? Array("{}".utf8)
        lanes.output.sink?.refresh()
        say(.publish("stream", ["name": "stderr", "text": .string(text)]), to: ([], header), on: .shell)
    }

    private func hearShutdown(_ frames: borrowing Frames, _ layout: Layout) {
        if MessageHeader(frames.view(layout.header))?.type == "shutdown_request" { tell(.shutdown) }
    }

    /// Requests pass to a kernel from now on, the one that was kept before all others.
    func standDown() {
        duty = .silent
        (speech, next, keptCell) = (nil, nil, nil)
        if let frames = kept.take() { lanes.toShell.putBack(frames) }
        tell(.reached)
    }

    // MARK: - While there is none

    /// There is no kernel, or will be none once it was heard out.
    func prepare(_ new: Speech) {
        guard new.isRenewal else {
            next = new
            return
        }
        if let isNews = next?.isNews {
            next = new
            next?.isNews = isNews
        } else if duty != .silent, let isNews = speech?.isNews {
            speech = new
            speech?.isNews = isNews
        } else {
            next = new
        }
    }

    var isPrepared: Bool { next != nil }

    /// Answers all who wait, and speaks from now on.
    func begin() {
        guard let next else { return }
        speech = next
        self.next = nil
        // Cells that came before anybody could know are not cells that ask for another attempt.
        collected = open.takeAll()
        if let keptCell { collected?.append(keptCell) }
        kept = nil
        keptCell = nil
        duty = .speaking
        if let lost = lanes.toShell.takeBack() { hear(lost, on: lanes.toShell) }
        hearAll(on: lanes.toShell)
        answerCollected()
    }

    private func answerCollected() {
        let cells = collected ?? []
        collected = nil
        for (cell, verdict) in zip(cells, Cell.verdicts(cells)) { answer(cell, verdict) }
        // Nobody is shown what a silent cell is answered.
        if cells.contains(where: { !$0.isSilent }) { speech?.isNews = false }
    }

    /// Whether it reads what clients send by this lane; nobody else does then.
    func hears(_ lane: Lane) -> Bool {
        switch (duty, lane.channel) {
        case (.silent, _), (_, .iopub): false
        case (.waiting, .shell): false
        case (.waiting, _), (.speaking, _): lane.direction == .toKernel && lane.source != nil
        }
    }

    /// Hears what has come by a lane.
    func turn(_ lane: Lane) {
        for _ in 0..<Tuning.burstMessages where hears(lane) {
            guard receive(lane) else { return }
        }
    }

    private func hearAll(on lane: Lane) {
        for _ in 0..<Tuning.mostOpenCells where lane.source != nil { guard receive(lane) else { return } }
    }

    /// One message; false when there is none.
    private func receive(_ lane: Lane) -> Bool {
        guard let source = lane.source else { return false }
        switch frames.receive(from: source) {
        case .nothing:
            lane.mayReceive = false
            return false
        case .refused: lane.count(.tooManyFrames)
        case .message:
            // The same call may have swallowed what was meant for the other direction.
            lane.opposite.maySend = true
            switch lane.channel {
            case .shell, .control:
                var message = Frames()
                swap(&message, &frames)
                hear(message, on: lane)
            case .hb: echo()
            case .stdin, .iopub: lane.count(.stale)
            }
        }
        frames.clear()
        lane.mayReceive = true
        return true
    }

    /// A heartbeat of a few frames; nobody's has more than three.
    private func echo() {
        guard frames.count <= 4 else { return }
        lanes.heartbeat.say(Frames((0..<frames.count).map { Array(frames.view($0)) }))
    }

    /// A message that nobody has looked at, or that was on its way to a kernel that has gone.
    private func hear(_ message: consuming Frames, on lane: Lane) {
        var message = message
        if let reason = seal.begin(message, routed: true) { return lane.count(reason) }
        var allowance = Int.max
        if case .refused(let reason) = seal.advance(&message, allowance: &allowance) {
            return lane.count(reason)
        }
        let layout = seal.layout
        guard let header = MessageHeader(message.view(layout.header)),
            let identities = message.identities(layout)
        else { return }
        let content = Array(message.view(layout.content))
        let head = Array(message.view(layout.header))
        if header.type == "execute_request", lane.channel == .shell {
            // Only its flags matter, and they have usual values.
            let flags = content.count > Tuning.largestKeptCell ? [] : content
            hear(Cell(identities: identities, header: head, content: flags), message)
        } else {
            answer(header.type, content, for: (identities, head), on: lane.channel)
        }
    }

    private func hear(_ cell: Cell, _ message: consuming Frames) {
        if collected != nil {
            collected?.append(cell)
        } else if cell.isSilent {
            // A program's question, not a person's wish for a kernel.
            answer(cell, .failed)
        } else if speech?.isNews == true || message.totalSize > Tuning.largestKeptCell {
            collected = [cell]
            hearAll(on: lanes.toShell)
            answerCollected()
        } else {
            kept = consume message
            keptCell = cell
            duty = .waiting
            // The cell shows that it runs, and is to.
            say(
                .publish("status", ["execution_state": "busy"]), to: (cell.identities, cell.header),
                on: .shell)
            tell(.attempt)
        }
    }

    // MARK: - What it says

    private typealias Caller = (identities: [[UInt8]], header: [UInt8])

    private func answer(_ cell: Cell, _ verdict: Cell.Verdict) {
        guard let speech else { return }
        if cell.storesHistory, verdict == .failed { count += 1 }
        answer(
            (cell.identities, cell.header), on: .shell,
            StandIn.sayings(to: cell, verdict, speech, count: max(count, 1)))
    }

    private func answer(_ type: String, _ content: [UInt8], for caller: Caller, on channel: Channel) {
        guard let speech else { return }
        let fields = content.count > Tuning.largestReadContent ? nil : (try? JSON(parsing: content))?.fields
        answer(caller, on: channel, StandIn.sayings(to: type, fields ?? [:], speech))
        if type == "shutdown_request" { tell(.shutdown) }
        if type == "interrupt_request", duty == .waiting { tell(.interrupted) }
    }

    /// As a kernel would: busy and idle around it, or a client that waits for them waits for ever.
    private func answer(_ caller: Caller, on channel: Channel, _ sayings: [StandIn.Saying]) {
        // Who has subscribed just before is to hear it.
        lanes.output.sink?.refresh()
        say(.publish("status", ["execution_state": "busy"]), to: caller, on: channel)
        for saying in sayings { say(saying, to: caller, on: channel) }
        say(.publish("status", ["execution_state": "idle"]), to: caller, on: channel)
    }

    private func say(_ saying: StandIn.Saying, to caller: Caller, on channel: Channel) {
        let (type, content, identities, lane) =
            switch saying {
            case .publish(let type, let content):
                (type, content, [Array("kernel.\(type)".utf8)], lanes.output)
            case .reply(let type, let content):
                (type, content, caller.identities, channel == .shell ? lanes.shell : lanes.control)
            }
        let header = MessageHeader(
            id: "", type: type, username: "kernel", session: session, date: nil, version: "5.3")
        let made = maker.message(to: identities, header, answering: caller.header, content: content.encoded)
        if let made { lane.say(made) }
    }
}
