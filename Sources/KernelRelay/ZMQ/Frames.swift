import CZMQ
import Glibc

/// The frames of one message, in slots that are used again for the next.
///
/// Every slot up to `capacity` is an initialised `zmq_msg_t` at all times: libzmq leaves an empty one
/// behind when it sends, and overwrites whatever is there when it receives.
package struct Frames: ~Copyable {
    package private(set) var slots: UnsafeMutablePointer<zmq_msg_t>
    package private(set) var count = 0
    /// Bytes of all frames.
    package private(set) var totalSize = 0
    private var capacity = 16

    package init() {
        slots = .allocate(capacity: capacity)
        for index in 0..<capacity { zmq_msg_init(slots + index) }
    }

    /// A message of the relay's own.
    package init(_ parts: [[UInt8]]) {
        self.init()
        precondition(parts.count <= capacity)
        for part in parts {
            guard replace(count, by: part, part.count) else { continue }
            count += 1
        }
    }

    package enum Reception {
        /// A whole message lies in the slots.
        case message
        /// A whole message was taken off the socket and thrown away: it had too many frames.
        case refused
        case nothing
    }

    /// Takes one whole message. libzmq delivers all frames of a message or none.
    package mutating func receive(from socket: SocketHandle) -> Reception {
        count = 0
        totalSize = 0
        while true {
            if count == capacity {
                if capacity >= Tuning.mostFrames { return discardRest(of: socket) }
                grow()
            }
            let size = zmq_msg_recv(slots + count, socket, ZMQ_DONTWAIT)
            // Between two frames nothing but the end of the context can come here.
            if size < 0 { return .nothing }
            totalSize += Int(size)
            let more = zmq_msg_more(slots + count)
            count += 1
            if more == 0 { return .message }
        }
    }

    private mutating func discardRest(of socket: SocketHandle) -> Reception {
        var scratch = zmq_msg_t()
        zmq_msg_init(&scratch)
        defer { zmq_msg_close(&scratch) }
        while zmq_msg_recv(&scratch, socket, ZMQ_DONTWAIT) >= 0, zmq_msg_more(&scratch) != 0 {}
        clear()
        return .refused
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: capacity * 2)
        // A zmq_msg_t may change its address; C++ bindings move it the same way.
        larger.moveInitialize(from: slots, count: capacity)
        for index in capacity..<capacity * 2 { zmq_msg_init(larger + index) }
        slots.deallocate()
        slots = larger
        capacity *= 2
    }

    /// Lets go of the frames' memory.
    package mutating func clear() {
        for index in 0..<count {
            zmq_msg_close(slots + index)
            zmq_msg_init(slots + index)
        }
        count = 0
        totalSize = 0
    }

    @inline(__always)
    package func bytes(_ index: Int) -> UnsafeMutableRawPointer { zmq_msg_data(slots + index)! }

    @inline(__always)
    package func size(_ index: Int) -> Int { zmq_msg_size(slots + index) }

    /// The bytes of a frame, for as long as nothing is done to the message.
    package func view(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes(index), count: size(index))
    }

    /// Gives frame `index` other bytes. In place where they fit, which saves an allocation a message: a
    /// received frame is shared with nobody. False when there is no memory.
    @inline(__always)
    package mutating func replace(_ index: Int, by bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let before = size(index)
        if before != count {
            totalSize += count - before
            zmq_msg_close(slots + index)
            guard zmq_msg_init_size(slots + index, count) == 0 else {
                zmq_msg_init(slots + index)
                return false
            }
        }
        if count > 0 { memcpy(zmq_msg_data(slots + index), bytes, count) }
        return true
    }

    /// Gives every small frame memory of its own. libzmq hands out frames as views into the 8 KiB that it read
    /// from the network, and one view keeps all of it: a message that is held may cost twenty times its size.
    fileprivate mutating func standAlone() {
        for index in 0..<count where (Tuning.inlineFrame + 1..<Tuning.sharedFrame).contains(size(index)) {
            var copy = zmq_msg_t()
            // Without memory the view is kept, which costs more and loses nothing.
            guard zmq_msg_init_size(&copy, size(index)) == 0 else { return }
            memcpy(zmq_msg_data(&copy), bytes(index), size(index))
            zmq_msg_close(slots + index)
            slots[index] = copy
        }
    }

    package enum Sending {
        case sent
        /// Nothing was sent: the receiver's pipe is full.
        case full
        /// The receiver has gone.
        case gone
    }

    /// Sends the message whole; on `full` it stays here untouched.
    package mutating func send(to socket: SocketHandle) -> Sending {
        let outcome = sendFrames(slots, count, to: socket)
        switch outcome {
        case .sent:
            count = 0
            totalSize = 0
        case .gone: clear()
        case .full: break
        }
        return outcome
    }

    /// Moves the frames to `target`, leaving empty slots.
    fileprivate mutating func move(to target: UnsafeMutablePointer<zmq_msg_t>) {
        for index in 0..<count {
            (target + index).moveInitialize(from: slots + index, count: 1)
            zmq_msg_init(slots + index)
        }
        count = 0
        totalSize = 0
    }

    deinit {
        for index in 0..<capacity { zmq_msg_close(slots + index) }
        slots.deallocate()
    }
}

@inline(__always)
private func sendFrames(
    _ slots: UnsafeMutablePointer<zmq_msg_t>, _ count: Int, to socket: SocketHandle
) -> Frames.Sending {
    for index in 0..<count {
        let flags = index + 1 < count ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT
        if zmq_msg_send(slots + index, socket, flags) < 0 {
            // A pipe that took the first frame takes the rest; when it does not, its peer left in between
            // and libzmq has rolled the message back.
            return index == 0 && zmq_errno() == EAGAIN ? .full : .gone
        }
    }
    return .sent
}

/// Messages that their receiver cannot take yet, in order, in a ring that grows by doubling.
package struct HeldMessages: ~Copyable {
    private var ring: UnsafeMutablePointer<UnsafeMutableBufferPointer<zmq_msg_t>>
    private var capacity = 8
    private var head = 0
    package private(set) var count = 0
    /// What the held messages cost, the overhead of their frames included.
    package private(set) var bytes = 0

    package init() { ring = .allocate(capacity: capacity) }

    @inline(__always)
    package var isEmpty: Bool { count == 0 }

    /// Takes the frames out of `frames`.
    package mutating func append(_ frames: inout Frames) {
        if count == capacity { grow() }
        frames.standAlone()
        bytes += frames.totalSize + frames.count * Tuning.frameOverhead
        let message = UnsafeMutableBufferPointer<zmq_msg_t>.allocate(capacity: frames.count)
        frames.move(to: message.baseAddress!)
        ring[(head + count) & (capacity - 1)] = message
        count += 1
    }

    /// Bytes of the oldest message's frames.
    package var firstSize: Int {
        let message = ring[head]
        var sum = 0
        for index in message.indices { sum += zmq_msg_size(message.baseAddress! + index) }
        return sum
    }

    /// Sends the oldest message; it stays when the receiver is full.
    package mutating func sendFirst(to socket: SocketHandle) -> Frames.Sending {
        let message = ring[head]
        // Asked before the frames are handed over.
        let cost = firstSize + message.count * Tuning.frameOverhead
        let outcome = sendFrames(message.baseAddress!, message.count, to: socket)
        if outcome != .full { dropFirst(cost) }
        return outcome
    }

    private mutating func dropFirst(_ cost: Int) {
        let message = ring[head]
        for index in message.indices { zmq_msg_close(message.baseAddress! + index) }
        message.deallocate()
        head = (head + 1) & (capacity - 1)
        count -= 1
        bytes -= cost
    }

    package mutating func removeAll() {
        while count > 0 { dropFirst(firstSize + ring[head].count * Tuning.frameOverhead) }
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<UnsafeMutableBufferPointer<zmq_msg_t>>.allocate(
            capacity: capacity * 2)
        for index in 0..<count { larger[index] = ring[(head + index) & (capacity - 1)] }
        ring.deallocate()
        ring = larger
        head = 0
        capacity *= 2
    }

    deinit {
        for index in 0..<count {
            let message = ring[(head + index) & (capacity - 1)]
            for frame in message.indices { zmq_msg_close(message.baseAddress! + frame) }
            message.deallocate()
        }
        ring.deallocate()
    }
}
