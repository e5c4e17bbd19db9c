import Glibc
import RelayLink
import Testing

/// Both ends of a link with streams, and sockets at both; what is between them is in the test's hands.
///
/// Concurrency: everything on the test's thread.
final class StreamRig {
    /// One direction of the link: frames that were said and have not arrived.
    final class Line: StreamCarrier {
        var frames: [Frame] = []
        /// Bytes that fit; nothing for any number.
        var room: Int?
        var hasRoom: Bool { room.map { size < $0 } ?? true }
        var size: Int { frames.reduce(0) { $0 + $1.payload.count } }

        func carry(_ stream: UInt32, _ kind: StreamFrame.Kind, _ rest: UnsafeRawBufferPointer) {
            frames.append(Frame(stream: stream, payload: [kind.rawValue] + rest))
        }
        func flush() {}
    }

    /// One end: its table, and the sockets that it watches.
    final class End {
        fileprivate(set) var table: StreamTable!
        fileprivate var watches: [Watch] = []
        fileprivate var turns: [() -> Void] = []
        /// The outer ends of what the other side has opened.
        fileprivate(set) var accepted: [Int32] = []
        fileprivate(set) var purposes: [StreamPurpose] = []
        var accepts = true
        /// What it says.
        var line = Line()
    }

    final class Watch: StreamWatch {
        let descriptor: Int32
        var awaited: Int16 = 0
        var isClosed = false
        let changed: (Bool, Bool, Bool) -> Void

        init(_ descriptor: Int32, _ changed: @escaping (Bool, Bool, Bool) -> Void) {
            self.descriptor = descriptor
            self.changed = changed
        }
        func await(read: Bool, write: Bool) {
            if read { awaited |= Int16(POLLIN) }
            if write { awaited |= Int16(POLLOUT) }
        }
        func close() {
            isClosed = true
            Glibc.close(descriptor)
        }
    }

    let relayd = End()
    let gate = End()
    private var outer: [Int32] = []

    init(window: Int64 = StreamLimits.window) {
        for (end, side) in [(relayd, StreamTable.Side.relayd), (gate, .gate)] {
            end.table = StreamTable(
                side,
                .init(
                    watch: { [unowned end] descriptor, changed in
                        end.watches.append(Watch(descriptor, changed))
                        return end.watches.last
                    },
                    again: { [unowned end] in end.turns.append($0) },
                    accept: { [unowned end, unowned self] purpose in
                        guard end.accepts else { return nil }
                        let (inner, outer) = pair()
                        end.accepted.append(outer)
                        end.purposes.append(purpose)
                        return (inner, purpose.text)
                    }), window: window)
        }
        link()
    }

    deinit { for descriptor in Set(outer) { close(descriptor) } }

    /// A new link, over which both go on.
    func link() {
        relayd.line = Line()
        gate.line = Line()
        relayd.table.detach()
        let offer = relayd.table.offer
        gate.table.keep(offer)
        let answer = gate.table.offer
        gate.table.attach(to: gate.line, offer)
        relayd.table.attach(to: relayd.line, answer)
    }

    func pair() -> (inner: Int32, outer: Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        #expect(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        outer.append(ends[1])
        return (ends[0], ends[1])
    }

    /// A stream from relayd to the gate: both outer ends.
    func stream() throws -> (relayd: Int32, gate: Int32) {
        let (inner, outer) = pair()
        #expect(relayd.table.open(.ports, inner, owner: "k"))
        move()
        return (outer, try #require(gate.accepted.last))
    }

    /// Lets everything happen that can, until nothing does.
    func move() { while step() {} }

    @discardableResult
    func step() -> Bool {
        let moved = [(relayd, gate), (gate, relayd)].map { from, to in
            let frames = from.line.frames
            from.line.frames = []
            for frame in frames { _ = to.table.receive(frame) }
            from.table.flow()
            return !frames.isEmpty
        }
        let rung = [relayd, gate].map(ring)
        return (moved + rung).contains(true)
    }

    private func ring(_ end: End) -> Bool {
        end.watches.removeAll { $0.isClosed }
        var rung = false
        for watch in end.watches where watch.awaited != 0 {
            var facts = pollfd(fd: watch.descriptor, events: watch.awaited, revents: 0)
            guard poll(&facts, 1, 0) > 0 else { continue }
            let readable = facts.revents & Int16(POLLIN | POLLHUP) != 0
            let writable = facts.revents & Int16(POLLOUT) != 0
            if readable { watch.awaited &= ~Int16(POLLIN) }
            if writable { watch.awaited &= ~Int16(POLLOUT) }
            watch.changed(readable, writable, false)
            rung = true
        }
        let turns = end.turns
        end.turns = []
        for turn in turns { turn() }
        return rung || !turns.isEmpty
    }
}

/// Writes what the socket takes.
func put(_ bytes: some Collection<UInt8>, _ descriptor: Int32) -> Int {
    let bytes = Array(bytes)
    return max(0, send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)))
}

/// What there is; nothing at the end, no bytes where there are none yet.
func get(_ descriptor: Int32) -> [UInt8]? {
    var all: [UInt8] = []
    while true {
        var part = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &part, part.count, 0)
        if count < 0, errno == EAGAIN { return all }
        if count <= 0 { return all.isEmpty ? nil : all }
        all += part[..<count]
    }
}
