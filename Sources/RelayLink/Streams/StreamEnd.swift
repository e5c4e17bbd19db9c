import Glibc

/// Rings when a stream's socket has become readable or writable.
package protocol StreamWatch: AnyObject {
    /// Asks to be rung for what the last call on the socket could not do.
    func await(read: Bool, write: Bool)
    /// Ends the watch, and closes the socket.
    func close()
}

/// What carries a link's frames.
package protocol StreamCarrier: AnyObject {
    /// Whether it owes its reader so little that streams may add to it.
    var hasRoom: Bool { get }
    func carry(_ stream: UInt32, _ kind: StreamFrame.Kind, _ rest: UnsafeRawBufferPointer)
    /// Hands on what it was given, as far as the system takes it.
    func flush()
}

/// One stream at one end of a link: a socket, what came out of it and goes over the link, and what came over the link
/// and goes into it.
///
/// Bytes that were sent are kept until the other end has handed them on: a link that is lost is made up for by the next.
/// The window bounds what is kept here and what waits there alike.
///
/// Concurrency: confined to its table's thread.
final class StreamEnd {
    let number: UInt32
    /// Whose it is: all of an owner's are closed together.
    let owner: String
    private let descriptor: Int32
    private let window: Int64
    private var watch: (any StreamWatch)?
    /// It stands in the table's queue of those that have something to carry.
    var isQueued = false
    private(set) var isClosed = false

    // From the socket to the link, in bytes since the stream began: read from the socket, carried by the present link,
    // and known to be handed on at the other end.
    private var read: Int64 = 0
    private var carried: Int64 = 0
    private var confirmed: Int64 = 0
    /// Those from `confirmed` to `read`.
    private var kept = ByteQueue()
    private var peerWindow: Int64
    private var mayRead = true
    private var sawEnd = false
    private var sourceEnded = false
    private var saidShut = false

    // From the link to the socket: arrived, handed on, and the last of that which the other end was told.
    private(set) var received: Int64 = 0
    private var taken: Int64 = 0
    private var said: Int64 = 0
    /// Those from `taken` to `received`.
    private var waiting = ByteQueue()
    private var mayWrite = true
    private var sinkFailed = false
    private var peerShut = false
    private var sinkShut = false

    init(_ number: UInt32, _ descriptor: Int32, owner: String, window: Int64, peerWindow: Int64) {
        self.number = number
        self.descriptor = descriptor
        self.owner = owner
        self.window = window
        self.peerWindow = peerWindow
    }

    func begin(_ watch: any StreamWatch) { self.watch = watch }

    // MARK: - From the socket to the link

    /// Whether ``carry(to:_:)`` may find something.
    var mayCarry: Bool {
        !isClosed && (carried < read || mayRead && !sourceEnded && read < confirmed + peerWindow)
    }

    /// Sends one frame, if there is something for one. Returns the number of its bytes.
    func carry(to carrier: any StreamCarrier, _ scratch: UnsafeMutableRawBufferPointer) -> Int {
        guard mayCarry else { return 0 }
        if carried < read {
            let count = kept.withBytes(from: Int(carried - confirmed), limit: StreamLimits.piece) { bytes in
                carrier.carry(number, .bytes, bytes)
                return bytes.count
            }
            carried += Int64(count)
            return count
        }
        let limit = min(scratch.count, Int(confirmed + peerWindow - read))
        var count = 0
        repeat {
            count = recv(descriptor, scratch.baseAddress, limit, 0)
        } while count < 0 && errno == EINTR
        guard count > 0 else {
            // A reset ends a stream as surely as a close; what came before it has been read.
            if count < 0, errno == EAGAIN { mayRead = false } else { sourceEnded = true }
            return 0
        }
        // Less than asked for is all that there was; what comes later rings again. An end that has rung does not.
        if count < limit, !sawEnd { mayRead = false }
        let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
        kept.append(bytes)
        carrier.carry(number, .bytes, bytes)
        read += Int64(count)
        carried = read
        return count
    }

    // MARK: - From the link to the socket

    /// False where the other end breaks the rules.
    func receive(_ frame: StreamFrame) -> Bool {
        switch frame {
        case .bytes(let bytes):
            guard !peerShut, received + Int64(bytes.count) - taken <= window else { return false }
            received += Int64(bytes.count)
            bytes.withUnsafeBytes(handOn)
        case .taken(let total):
            guard (confirmed...carried).contains(total) else { return false }
            kept.removeFirst(Int(total - confirmed))
            confirmed = total
        case .shut: peerShut = true
        case .open, .reset: return false
        }
        return true
    }

    private func handOn(_ bytes: UnsafeRawBufferPointer) {
        // Nobody takes them any more. They are counted as taken: what the other direction still brings must not wait.
        if sinkFailed { return giveUpWriting() }
        let written = waiting.isEmpty ? write(bytes) : 0
        waiting.append(UnsafeRawBufferPointer(rebasing: bytes[written...]))
        if sinkFailed { giveUpWriting() }
    }

    private func giveUpWriting() {
        waiting.removeAll()
        taken = received
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        var written = 0
        while written < bytes.count, mayWrite {
            let count = send(
                descriptor, bytes.baseAddress! + written, bytes.count - written, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                written += count
                taken += Int64(count)
            } else if errno == EAGAIN {
                mayWrite = false
            } else if errno != EINTR {
                sinkFailed = true
                break
            }
        }
        return written
    }

    func changed(readable: Bool, writable: Bool, ended: Bool) {
        if ended { sawEnd = true }
        if readable || ended { mayRead = true }
        guard writable || ended else { return }
        mayWrite = true
        while !waiting.isEmpty, mayWrite, !sinkFailed {
            let written = waiting.withBytes(from: 0, limit: waiting.count, write)
            waiting.removeFirst(written)
        }
        if sinkFailed { giveUpWriting() }
    }

    // MARK: - What is due

    /// Says what the other end must know, passes its end on, and waits for the socket where that is what is missing.
    func settle(_ carrier: (any StreamCarrier)?) {
        guard !isClosed else { return }
        if peerShut, waiting.isEmpty, !sinkShut {
            sinkShut = true
            shutdown(descriptor, Int32(SHUT_WR))
        }
        if let carrier {
            if taken - said >= window / 2 { sayTaken(to: carrier) }
            if sourceEnded, carried == read, !saidShut {
                saidShut = true
                say(.shut, to: carrier)
            }
        }
        if saidShut, peerShut, waiting.isEmpty { return close() }
        watch?.await(read: !mayRead && !sourceEnded, write: !mayWrite && !sinkFailed)
    }

    private func sayTaken(to carrier: any StreamCarrier) {
        said = taken
        say(.taken(taken), to: carrier)
    }

    func say(_ frame: StreamFrame, to carrier: any StreamCarrier) {
        frame.rest.withUnsafeBytes { carrier.carry(number, frame.kind, $0) }
    }

    // MARK: - Another link

    /// Goes on over a new link, whose other end has received so much. False where that cannot be.
    func resume(over carrier: any StreamCarrier, from arrived: Int64, peerWindow: Int64) -> Bool {
        guard (confirmed...read).contains(arrived) else { return false }
        carried = arrived
        saidShut = false
        self.peerWindow = peerWindow
        sayTaken(to: carrier)
        return true
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        watch?.close()
        watch = nil
        kept.removeAll()
        waiting.removeAll()
    }
}
