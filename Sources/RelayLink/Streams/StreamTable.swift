import Glibc

/// All streams of a gate's link, at one of its ends.
///
/// Each has a window of its own, so that one whose receiver is slow holds up nobody else; and each has its turn, one
/// frame long, so that one that has much to say does not either. Streams outlive a link that is lost.
///
/// Concurrency: confined to one thread or queue, on which everything of it is called and calls.
package final class StreamTable {
    /// Who chooses which numbers.
    package enum Side: UInt32, Sendable {
        case relayd = 1
        case gate = 2
    }

    /// What a table needs of the place where it is.
    package struct Host {
        package typealias Change = (_ readable: Bool, _ writable: Bool, _ ended: Bool) -> Void

        /// Rings with what has become possible; nothing when the socket cannot be watched.
        package let watch: (Int32, @escaping Change) -> (any StreamWatch)?
        /// Calls once everything else that is ready has been seen to.
        package let again: (@escaping () -> Void) -> Void
        /// The other end opens a stream: a socket, not blocking, for it, and whose it is; or nothing.
        package let accept: (StreamPurpose) -> (descriptor: Int32, owner: String)?

        package init(
            watch: @escaping (Int32, @escaping Change) -> (any StreamWatch)?,
            again: @escaping (@escaping () -> Void) -> Void,
            accept: @escaping (StreamPurpose) -> (descriptor: Int32, owner: String)?
        ) {
            self.watch = watch
            self.again = again
            self.accept = accept
        }
    }

    private let side: Side
    private let host: Host
    private let window: Int64
    private var ends: [UInt32: StreamEnd] = [:]
    private var lastOfOurs: UInt32
    private var lastOfTheirs: UInt32 = 0
    private weak var carrier: (any StreamCarrier)?
    private var peerWindow: Int64 = 0
    /// Those that may have something to carry, in the order of their turns.
    private var queue: [StreamEnd] = []
    private var isFlowing = false
    private var hasTurnDue = false
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: StreamLimits.piece, alignment: 16)

    package init(_ side: Side, _ host: Host, window: Int64 = StreamLimits.window) {
        self.side = side
        self.host = host
        self.window = window
        // The first of ours is two further: 1, or 2.
        lastOfOurs = side == .relayd ? .max : 0
    }

    deinit {
        for end in ends.values { end.close() }
        scratch.deallocate()
    }

    package var isEmpty: Bool { ends.isEmpty }
    package func count(of owner: String) -> Int { ends.values.count { $0.owner == owner } }
    /// Whether there is a link, and an other end that knows streams.
    package var isAttached: Bool { carrier != nil && peerWindow > 0 }

    /// What this end says of itself when a link begins.
    package var offer: StreamOffer { .init(window: window, received: ends.mapValues(\.received)) }

    // MARK: - Links

    /// What the other end of a new link does not have is over; the rest waits for ``attach(to:_:)``.
    package func keep(_ theirs: StreamOffer) {
        detach()
        for end in ends.values where theirs.received[end.number] == nil { remove(end) }
    }

    /// Goes on over a link whose other end has said what it has.
    package func attach(to carrier: any StreamCarrier, _ theirs: StreamOffer) {
        keep(theirs)
        guard !theirs.isNone else { return }
        self.carrier = carrier
        peerWindow = theirs.window
        lastOfTheirs = ends.keys.filter { !isOurs($0) }.max() ?? 0
        for end in ends.values {
            let arrived = theirs.received[end.number] ?? -1
            if end.resume(over: carrier, from: arrived, peerWindow: peerWindow) {
                settle(end)
            } else {
                reset(end)
            }
        }
        flow()
    }

    /// The link is lost. Nothing is read from any socket until there is another.
    package func detach() {
        carrier = nil
        peerWindow = 0
    }

    package func detach(from lost: any StreamCarrier) { if carrier === lost { detach() } }

    // MARK: - Streams

    /// Opens a stream for a socket, not blocking, which is the table's from now on. False, and the socket closed, where
    /// there is nobody to open it to.
    @discardableResult
    package func open(_ purpose: StreamPurpose, _ descriptor: Int32, owner: String) -> Bool {
        guard let carrier, isAttached, lastOfOurs == .max || lastOfOurs < .max - 2,
            let end = add(lastOfOurs &+ 2, descriptor, owner)
        else {
            Glibc.close(descriptor)
            return false
        }
        lastOfOurs = end.number
        end.say(.open(purpose), to: carrier)
        settle(end)
        flow()
        return true
    }

    /// Nothing, and the socket still the caller's, where it cannot be watched.
    private func add(_ number: UInt32, _ descriptor: Int32, _ owner: String) -> StreamEnd? {
        let end = StreamEnd(number, descriptor, owner: owner, window: window, peerWindow: peerWindow)
        let watch = host.watch(descriptor) { [weak self, weak end] readable, writable, ended in
            guard let self, let end, !end.isClosed else { return }
            end.changed(readable: readable, writable: writable, ended: ended)
            settle(end)
            flow()
        }
        guard let watch else { return nil }
        end.begin(watch)
        ends[number] = end
        return end
    }

    /// What came on a stream. False where none of its number was ever opened.
    package func receive(_ frame: Frame) -> Bool {
        guard isAttached else { return false }
        let said = StreamFrame(frame.payload)
        if let end = ends[frame.stream] {
            if said == .reset {
                remove(end)
            } else if let said, end.receive(said) {
                settle(end)
            } else {
                reset(end)
            }
            flow()
            return true
        }
        if case .open(let purpose)? = said, !isOurs(frame.stream), frame.stream > lastOfTheirs {
            begin(frame.stream, purpose)
            return true
        }
        // What was under way when it ended is for nobody.
        return isOurs(frame.stream)
            ? lastOfOurs != .max && frame.stream <= lastOfOurs : frame.stream <= lastOfTheirs
    }

    private func begin(_ number: UInt32, _ purpose: StreamPurpose) {
        lastOfTheirs = number
        if ends.count < StreamLimits.most, let (descriptor, owner) = host.accept(purpose) {
            if let end = add(number, descriptor, owner) {
                settle(end)
                return flow()
            }
            Glibc.close(descriptor)
        }
        carrier?.carry(number, .reset, UnsafeRawBufferPointer(start: nil, count: 0))
        carrier?.flush()
    }

    private func isOurs(_ number: UInt32) -> Bool { number % 2 == side.rawValue % 2 }

    private func settle(_ end: StreamEnd) {
        end.settle(carrier)
        if end.isClosed {
            ends[end.number] = nil
        } else if end.mayCarry, !end.isQueued {
            end.isQueued = true
            queue.append(end)
        }
    }

    private func reset(_ end: StreamEnd) {
        if let carrier { end.say(.reset, to: carrier) }
        remove(end)
    }

    private func remove(_ end: StreamEnd) {
        end.close()
        ends[end.number] = nil
    }

    /// Ends all streams of an owner.
    package func close(owner: String) {
        for end in ends.values where end.owner == owner { reset(end) }
        carrier?.flush()
    }

    package func closeAll() {
        for end in ends.values { reset(end) }
        carrier?.flush()
    }

    // MARK: - Turns

    /// Carries what may be carried now: a frame of each stream in turn, as long as the link has room.
    package func flow() {
        // What is called here may find the link writable, and call.
        guard !isFlowing, let carrier, isAttached else { return }
        isFlowing = true
        defer { isFlowing = false }
        var allowance = StreamLimits.turn
        var index = 0
        while index < queue.count {
            if !carrier.hasRoom {
                carrier.flush()
                if !carrier.hasRoom { break }
            }
            if allowance <= 0 {
                flowAgain()
                break
            }
            let end = queue[index]
            index += 1
            end.isQueued = false
            allowance -= end.carry(to: carrier, scratch)
            // Behind all others.
            settle(end)
        }
        queue.removeFirst(index)
        carrier.flush()
    }

    private func flowAgain() {
        guard !hasTurnDue else { return }
        hasTurnDue = true
        host.again { [weak self] in
            self?.hasTurnDue = false
            self?.flow()
        }
    }
}
