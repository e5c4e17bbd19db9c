import CZMQ
import FakeJupyter
import Glibc

/// Messages built and signed before the clock starts, kept as libzmq messages.
///
/// Sending one copies a handle of each frame and raises a reference count; so neither signing nor copying holds the
/// generator back, and every hop is driven by the same generator. Each message has its own number and its own,
/// right signature; a run longer than the pool goes round it again.
final class MessagePool: @unchecked Sendable {
    /// Where the number stands in the content: `{"seq":"00000000"`.
    static let numberOffset = 8
    static let numberLength = 8

    let count: Int
    let framesEach: Int
    /// The bytes of one message, all frames together.
    let bytesEach: Int
    private let hasTopic: Bool
    private let frames: UnsafeMutablePointer<zmq_msg_t>

    /// Messages of `total` bytes. With a topic they are published streams, without one requests. `buffer` bytes, when
    /// given, travel in an unsigned buffer behind the content.
    init(count: Int, key: String, topic: String? = nil, total: Int, buffer: Int? = nil) {
        self.count = count
        hasTopic = topic != nil
        var messages: [[[UInt8]]] = []
        for number in 0..<count {
            messages.append(MessagePool.build(number, key: key, topic: topic, total: total, buffer: buffer))
        }
        framesEach = messages[0].count
        bytesEach = messages[0].reduce(0) { $0 + $1.count }
        frames = .allocate(capacity: count * framesEach)
        var next = frames
        for message in messages {
            for frame in message {
                zmq_msg_init_size(next, frame.count)
                if !frame.isEmpty { memcpy(zmq_msg_data(next), frame, frame.count) }
                next += 1
            }
        }
    }

    deinit {
        for index in 0..<(count * framesEach) { zmq_msg_close(frames + index) }
        frames.deallocate()
    }

    private static func build(_ number: Int, key: String, topic: String?, total: Int, buffer: Int?)
        -> [[UInt8]]
    {
        let digits = String(number)
        let padded = String(repeating: "0", count: numberLength - digits.count) + digits
        let type = topic == nil ? "execute_request" : "stream"
        let header = Array(
            "{\"msg_id\":\"b_\(padded)\",\"msg_type\":\"\(type)\",\"session\":\"b\",\"version\":\"5.4\"}".utf8
        )
        let parent = Array(
            (topic == nil ? "{}" : "{\"msg_id\":\"c_1\",\"msg_type\":\"execute_request\"}").utf8)
        let metadata = Array("{}".utf8)
        let start = Array("{\"seq\":\"\(padded)\",\"text\":\"".utf8)
        let end = Array("\"}".utf8)
        let fixed = (topic?.utf8.count ?? 0) + 9 + 64 + header.count + parent.count + metadata.count
        let padding = max(0, total - (buffer ?? 0) - fixed - start.count - end.count)
        let content = start + [UInt8](repeating: UInt8(ascii: "x"), count: padding) + end
        let signature = PeerSignature.hex(key: key, parts: [header, parent, metadata, content])
        let buffers = buffer.map { [[UInt8](repeating: 0x5a, count: $0)] } ?? []
        return (topic.map { [Array($0.utf8)] } ?? [])
            + [SignedMessage.delimiter, signature, header, parent, metadata, content] + buffers
    }

    /// Sends message `index`, waiting for room; false when the socket's time is up or its context is gone.
    @inline(__always)
    func send(_ index: Int, on socket: RawSocket, _ scratch: UnsafeMutablePointer<zmq_msg_t>) -> Bool {
        let first = frames + (index % count) * framesEach
        for offset in 0..<framesEach {
            zmq_msg_init(scratch)
            zmq_msg_copy(scratch, first + offset)
            if zmq_msg_send(scratch, socket, offset == framesEach - 1 ? 0 : ZMQ_SNDMORE) < 0 {
                zmq_msg_close(scratch)
                return false
            }
        }
        return true
    }

    /// Computes message `index`'s signature once more, as a kernel would now; it is the one that the message has.
    func sign(_ index: Int, _ signer: FrameSigner) -> Bool {
        let first = frames + (index % count) * framesEach + (hasTopic ? 1 : 0)
        guard let signature = zmq_msg_data(first + 1) else { return false }
        signer.begin()
        for offset in 2..<6 { signer.add(first + offset) }
        return signer.matches(signature.assumingMemoryBound(to: UInt8.self))
    }

    /// The number in a content frame; -1 where there is none.
    @inline(__always)
    static func number(in content: UnsafeMutablePointer<zmq_msg_t>) -> Int {
        guard zmq_msg_size(content) >= numberOffset + numberLength, let data = zmq_msg_data(content) else {
            return -1
        }
        let bytes = data.assumingMemoryBound(to: UInt8.self) + numberOffset
        var value = 0
        for index in 0..<numberLength { value = value * 10 + Int(bytes[index]) - 48 }
        return value
    }
}
