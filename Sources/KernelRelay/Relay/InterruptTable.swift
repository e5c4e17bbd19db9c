/// Which interrupts a client asked for and who answers each, as a value: requests and replies in, verdicts out.
///
/// Each request is answered once. So one that was passed on and then answered by the relay is remembered until the
/// kernel's own answer has come and was dropped, which may be when the cell ends, or never. The table has an end;
/// what does not fit is never passed on, and so has no second answer to be remembered.
package struct InterruptTable {
    package typealias Instant = ContinuousClock.Instant

    /// What an answer needs to know of its request.
    package struct Request: Equatable, Sendable {
        package let id: String
        package let channel: Channel
        package let identities: [[UInt8]]
        /// As it came: it is the answer's parent header.
        package let header: [UInt8]

        package init(id: String, channel: Channel, identities: [[UInt8]] = [], header: [UInt8] = []) {
            self.id = id
            self.channel = channel
            self.identities = identities
            self.header = header
        }
    }

    package enum Verdict: Equatable {
        case passOn
        /// To the kernel's control socket, whichever it came by.
        case toControl
        /// The relay answers it, and the kernel does not get it.
        case take
    }

    package enum Answer: Equatable {
        case passOn
        /// To a request that came by another channel.
        case to(Channel)
        /// The relay has answered already.
        case drop
    }

    private let policy: InterruptPolicy
    /// Passed on and not answered, the oldest first.
    private var waiting: [(request: Request, until: Instant)] = []
    /// Passed on, and answered by the relay.
    private var answered: Set<String> = []
    /// Passed on by another channel than they came by.
    private var redirected: [String: Channel] = [:]
    private var taken: [Request] = []

    package init(_ policy: InterruptPolicy) { self.policy = policy }

    /// Whether an answer of the kernel may have to be looked for.
    package var awaitsAnswer: Bool { !waiting.isEmpty || !answered.isEmpty || !redirected.isEmpty }

    /// When ``collect(now:)`` has something to give.
    package var deadline: Instant? { waiting.first?.until }

    /// Whether it has something now, whatever the time.
    package var hasTaken: Bool { !taken.isEmpty }

    /// A client asks for an interrupt.
    package mutating func ask(_ request: Request, now: Instant) -> Verdict {
        let fits =
            waiting.count + answered.count + redirected.count < Tuning.mostInterrupts
            && !waiting.contains { $0.request.id == request.id } && !answered.contains(request.id)
            && redirected[request.id] == nil
        switch (policy, request.channel) {
        case (.message, .shell) where fits:
            redirected[request.id] = request.channel
            return .toControl
        case (.message, _): return .passOn
        case (.auto, .control) where fits:
            waiting.append((request, now + Tuning.interruptReply))
            return .passOn
        case (.auto, _), (.signal, _):
            taken.append(request)
            return .take
        }
    }

    /// The kernel answers an interrupt.
    package mutating func answer(to id: String) -> Answer {
        if let index = waiting.firstIndex(where: { $0.request.id == id }) {
            waiting.remove(at: index)
            return .passOn
        }
        if let channel = redirected.removeValue(forKey: id) { return .to(channel) }
        return answered.remove(id) == nil ? .passOn : .drop
    }

    /// Requests that the relay is to answer now, after one signal for all of them: it serves whoever asked before.
    package mutating func collect(now: Instant) -> [Request] {
        var due = taken
        taken = []
        if let first = waiting.first, first.until <= now {
            due += waiting.map(\.request)
            answered.formUnion(waiting.map(\.request.id))
            waiting = []
        }
        return due
    }

    /// The kernel is lost: it is not to be signalled, but what it still says is heard.
    package mutating func standDown() {
        waiting = []
        taken = []
    }

    /// Another kernel, which knows of nothing.
    package mutating func forget() { self = InterruptTable(policy) }
}
