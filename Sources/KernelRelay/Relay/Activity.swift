import CLinux
import Synchronization

/// What a relay notices of a kernel's work: whether it calls itself busy, how long its replies take, and when it was used
/// last. It looks at what passes, and holds nothing up: a word is searched for in small messages, an id in headers.
///
/// Concurrency: confined to the relay's thread, but for the number of relays, which is an atomic of the process.
final class Activity {
    private let counters: Counters
    /// The relay's present round: near enough for all that passes in it.
    private var now = ContinuousClock.now
    private var stamp = 1
    /// The round in which a use was noted last: of a flood the first message is looked at.
    private var usedAt = 0
    /// The requests for which the kernel said busy, and not idle yet. More than one: control has its own.
    private var busy: [UInt64] = []
    private var shell = OpenRequests()
    private var control = OpenRequests()
    /// Cells that were handed to the kernel and have no reply.
    private var cells = OpenRequests()
    /// Requests that count as use of the kernel, and those of them that it is busy with.
    private var uses = OpenRequests()
    private var working: [UInt64] = []
    /// The relay's own, after which nothing is under way that an earlier relay had asked for.
    private var question: UInt64?

    /// When the kernel was asked anything last.
    private var askedAt = ContinuousClock.now

    /// In this process: they share what heartbeats may cost.
    private static let relays = Atomic<Int>(0)

    init(_ counters: Counters) {
        self.counters = counters
        Self.relays.add(1, ordering: .relaxed)
    }

    deinit { Self.relays.subtract(1, ordering: .relaxed) }

    /// How far apart heartbeats are: no further than usual while somebody may wait for the kernel.
    var beatEvery: Duration {
        guard busy.isEmpty, cells.oldest == nil, question == nil,
            askedAt.duration(to: now) >= Tuning.restsAfter
        else { return Tuning.beatEvery }
        let turn = Tuning.beatsApart * Self.relays.load(ordering: .relaxed)
        return min(max(turn, Tuning.beatEvery), Tuning.beatAtLeastEvery)
    }

    func beginRound(at now: ContinuousClock.Instant) {
        self.now = now
        stamp = counters.stamp(now)
        counters.set(.turned, to: stamp)
        // Until it sleeps: what holds it up in this round holds up whoever made it wake.
        counters.set(.longestSleep, to: Int(clamping: Tuning.beatEvery.nanoseconds))
    }

    /// Looks at a message that was verified. False for the answer to a question of the relay's own, which is nobody else's.
    @inline(__always)
    func saw(
        _ frames: borrowing Frames, _ layout: Layout, on channel: Channel, _ direction: Direction
    ) -> Bool {
        if direction == .toKernel { askedAt = now }
        switch (channel, direction) {
        case (.iopub, .toClient):
            counters.set(.published, to: stamp)
            // A status has 27 bytes; what prints has more.
            if frames.size(layout.content) > Tuning.longestStatus || !heardStatus(frames, layout),
                usedAt != stamp, isUse(published: frames, layout)
            {
                noteUse()
            }
        case (.shell, .toKernel):
            guard let id = MessageID.find(in: frames.view(layout.header)) else { return true }
            shell.opened(id, at: now)
            if frames.mentions("\"execute_request\"", layout) {
                cells.opened(id, at: now)
                counters.mark(.waitsSince, at: cells.oldest)
                use(id)
            } else if isUse(frames.view(layout.header)) {
                use(id)
            }
        case (.control, .toKernel):
            if let id = MessageID.find(in: frames.view(layout.header)) { control.opened(id, at: now) }
        case (.shell, .toClient):
            counters.set(.shellReplied, to: stamp)
            guard let id = MessageID.find(in: frames.view(layout.parentHeader)) else { return true }
            if id == question {
                question = nil
                noteUse()
                noteWork()
                return false
            }
            if uses.closed(id) != nil { noteUse() }
            if let began = shell.closed(id) { counters.record(began.duration(to: now), in: .shell) }
            // Of those before it that have no reply none will come: a kernel drops what it cannot read.
            if cells.closed(through: id) {
                counters.mark(.waitsSince, at: cells.oldest)
                noteWork()
            }
        case (.control, .toClient):
            guard let id = MessageID.find(in: frames.view(layout.parentHeader)) else { return true }
            if let began = control.closed(id) { counters.record(began.duration(to: now), in: .control) }
        default: break
        }
        return true
    }

    // MARK: - Whether it is used

    /// Everything that a client asks for is, but for what front ends ask by themselves to see how a kernel is, what a
    /// debugger asks, and what is to end something: told by a request's header. Of what goes by control nothing is.
    private func isUse(_ header: UnsafeRawBufferPointer) -> Bool {
        header.count > Tuning.largestHeader
            || !mentions("\"kernel_info_request\"", header) && !mentions("\"comm_info_request\"", header)
                && !mentions("\"debug_request\"", header) && !mentions("\"interrupt_request\"", header)
                && !mentions("\"shutdown_request\"", header)
    }

    /// What a kernel publishes for such a request is, and what it publishes for none.
    private func isUse(published frames: borrowing Frames, _ layout: Layout) -> Bool {
        isUse(frames.view(layout.parentHeader)) && !frames.mentions("\"debug_event\"", layout)
    }

    private func noteUse() {
        usedAt = stamp
        counters.set(.used, to: stamp)
    }

    private func use(_ id: UInt64) {
        uses.opened(id, at: now)
        noteUse()
        noteWork()
    }

    /// It runs a cell, or something else that somebody asked for, as far as can be known.
    private func noteWork() {
        counters.set(.works, to: working.isEmpty && cells.oldest == nil && question == nil ? 0 : 1)
    }

    /// The kernel is asked something that it answers when all is done that it was asked before.
    func asked(_ id: UInt64) {
        question = id
        noteWork()
    }

    /// False where it is something that the kernel published for somebody.
    private func heardStatus(_ frames: borrowing Frames, _ layout: Layout) -> Bool {
        let content = frames.view(layout.content)
        guard mentions("\"execution_state\"", content) else {
            // A kernel's welcome to a subscriber is small, too, and nobody's doing.
            return mentions("\"subscription\"", content)
        }
        // A kernel that says of nothing that it is busy with it is busy all the same.
        let id = MessageID.find(in: frames.view(layout.parentHeader)) ?? 0
        let wasBusy = !busy.isEmpty
        if mentions("\"busy\"", content) {
            if busy.count < Tuning.mostBusy, !busy.contains(id) { busy.append(id) }
            if working.count < Tuning.mostBusy, uses.contains(id), !working.contains(id) {
                working.append(id)
            }
        } else {
            busy.removeAll { $0 == id }
            if working.contains(id) {
                working.removeAll { $0 == id }
                noteUse()
            }
        }
        noteWork()
        if wasBusy != !busy.isEmpty { counters.mark(.busySince, at: wasBusy ? nil : now) }
        return true
    }

    private func mentions(_ word: StaticString, _ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= word.utf8CodeUnitCount
            && memmem(bytes.baseAddress!, bytes.count, word.utf8Start, word.utf8CodeUnitCount) != nil
    }

    /// The kernel is lost: nothing that it began will end.
    func forget() {
        busy = []
        shell = OpenRequests()
        control = OpenRequests()
        cells = OpenRequests()
        uses = OpenRequests()
        working = []
        question = nil
        askedAt = .now
        noteWork()
        counters.mark(.busySince, at: nil)
        counters.mark(.waitsSince, at: nil)
    }
}

/// Requests without a reply yet: the last of them, since some never get one.
struct OpenRequests {
    private var entries: [(id: UInt64, began: ContinuousClock.Instant)] = []

    mutating func opened(_ id: UInt64, at now: ContinuousClock.Instant) {
        if entries.count == Tuning.mostOpenRequests { entries.removeFirst() }
        entries.append((id, now))
    }

    var oldest: ContinuousClock.Instant? { entries.first?.began }
    func contains(_ id: UInt64) -> Bool { entries.contains { $0.id == id } }

    /// Closes it and all that were opened before; false where it is not known.
    mutating func closed(through id: UInt64) -> Bool {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return false }
        entries.removeFirst(index + 1)
        return true
    }

    /// When it was opened; nothing where that is not known.
    mutating func closed(_ id: UInt64) -> ContinuousClock.Instant? {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return nil }
        return entries.remove(at: index).began
    }
}
