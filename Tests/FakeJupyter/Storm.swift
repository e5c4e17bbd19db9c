import CZMQ
import Glibc

/// What the messages of a storm look like: signed beforehand, told apart by a number that is not signed.
enum Storm {
    /// Messages that are used in turn: more than one, so that a relay that mixes two up is found out.
    private static let poolSize = 251

    static func pool(
        size: Int, about request: SignedMessage, _ session: String, for address: PeerAddress
    ) -> [[[UInt8]]] {
        (0..<poolSize).map { index in
            let start = "{\"name\": \"stdout\", \"slot\": \(index), \"text\": \""
            let padding = String(repeating: "x", count: max(0, size - start.utf8.count - 2))
            let message = SignedMessage(
                "stream", session: session, content: start + padding + "\"}", parentHeader: request.header,
                identities: [Array("stream".utf8)])
            return message.frames(for: address)
        }
    }

    static func number(_ value: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(value).littleEndian) { Array($0) }
    }

    static func slot(of number: Int) -> Int { number % poolSize }
}

/// A subscriber that takes a storm in and holds it to its promise: every number, in order, once.
///
/// Concurrency: not Sendable; it lives on the thread that made it.
///
/// The signature and the match of content and number are looked at in a sample, or the witness would be the
/// slowest part of what it watches.
package final class StormReader {
    private static let sample = 97

    private let context = PeerContext()
    private let socket: PeerSocket
    private let address: PeerAddress
    private let handshake: PeerHandshake
    private var frames: [zmq_msg_t]
    private var frameCount = 0
    /// Messages of the storm that have come, all of them right.
    package private(set) var count = 0

    package init(_ address: PeerAddress, highWaterMark: Int32 = 1000) throws {
        self.address = address
        socket = try PeerSocket(context, .sub)
        try socket.set(ZMQ_RCVHWM, highWaterMark)
        try socket.set(ZMQ_SUBSCRIBE, "stream")
        handshake = try PeerHandshake(context, of: socket)
        try socket.connect(address.endpoint(.iopub))
        frames = Array(repeating: zmq_msg_t(), count: 16)
        for index in frames.indices { zmq_msg_init(&frames[index]) }
    }

    deinit {
        for index in frames.indices { zmq_msg_close(&frames[index]) }
        handshake.stop()
        socket.close()
    }

    package func isConnected(within milliseconds: Int = 10_000) throws -> Bool {
        try handshake.isDone(within: milliseconds)
    }

    /// Takes messages until `limit` have come in all. Throws at the first that is wrong, and when nothing comes for
    /// `silence` milliseconds.
    package func read(until limit: Int, silence: Int = 20_000) throws {
        while count < limit {
            if try !receive() {
                guard try socket.isReadable(within: silence) else {
                    throw PeerError("the storm fell silent after \(count) of \(limit)")
                }
                continue
            }
            try check()
            count += 1
        }
    }

    /// Whether anything more comes.
    package func isSilent(for milliseconds: Int) throws -> Bool {
        try !socket.isReadable(within: milliseconds)
    }

    private func receive() throws -> Bool {
        frameCount = 0
        while true {
            guard frameCount < frames.count else { throw PeerError("more frames than a storm's message has") }
            if zmq_msg_recv(&frames[frameCount], socket.raw, ZMQ_DONTWAIT) < 0 {
                if frameCount == 0 { return false }
                throw PeerError.zmq("receive")
            }
            let more = zmq_msg_more(&frames[frameCount]) != 0
            frameCount += 1
            if !more { return true }
        }
    }

    private func check() throws {
        // Topic, delimiter, signature, four parts, the number.
        guard frameCount == 8, zmq_msg_size(&frames[7]) == 8 else {
            throw PeerError("message \(count) came with \(frameCount) frames")
        }
        let number = Int(
            UInt64(littleEndian: zmq_msg_data(&frames[7])!.loadUnaligned(as: UInt64.self)))
        guard number == count else { throw PeerError("after \(count - 1) came \(number)") }
        guard count.isMultiple(of: Self.sample) else { return }
        var copy: [[UInt8]] = []
        for index in 0..<frameCount {
            let size = zmq_msg_size(&frames[index])
            copy.append([UInt8](UnsafeRawBufferPointer(start: zmq_msg_data(&frames[index]), count: size)))
        }
        guard let message = SignedMessage(frames: copy), message.verifies(for: address) else {
            throw PeerError("message \(count) has a wrong signature")
        }
        guard JSONText.int("slot", in: message.content) == Storm.slot(of: count) else {
            throw PeerError("message \(count) has another's content")
        }
    }
}
