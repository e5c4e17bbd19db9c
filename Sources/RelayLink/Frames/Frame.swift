/// One piece of a link's conversation: a stream number and its bytes.
///
/// On the wire: the payload's length as u32, the stream's number as u32, both big-endian, then the payload.
package struct Frame: Sendable, Equatable {
    /// Stream 0 carries control messages; every other one the bytes of one tunnelled connection.
    package static let control: UInt32 = 0
    /// No payload is longer. A hostile length costs neither side memory.
    package static let largestPayload = 1 << 20
    package static let headerLength = 8

    package var stream: UInt32
    package var payload: [UInt8]

    package init(stream: UInt32 = Frame.control, payload: [UInt8]) {
        self.stream = stream
        self.payload = payload
    }

    /// The frame as it goes over the wire, or nothing when the payload is too long for one.
    package var encoded: [UInt8]? {
        guard payload.count <= Frame.largestPayload else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Frame.headerLength + payload.count)
        Frame.appendHeader(length: payload.count, stream: stream, to: &bytes)
        return bytes + payload
    }

    private static func appendHeader(length: Int, stream: UInt32, to bytes: inout [UInt8]) {
        for number in [UInt32(length), stream] {
            withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        }
    }

    /// Appends a frame of a stream as it goes over the wire, without a copy in between.
    package static func append(
        _ stream: UInt32, _ kind: StreamFrame.Kind, _ rest: UnsafeRawBufferPointer, to bytes: inout [UInt8]
    ) {
        appendHeader(length: 1 + rest.count, stream: stream, to: &bytes)
        bytes.append(kind.rawValue)
        bytes.append(contentsOf: rest)
    }
}

/// Bytes in, in whatever pieces they arrive; frames out.
package struct FrameDecoder: Sendable {
    /// The other side announced a frame longer than any may be. Nothing behind it can be understood.
    package struct TooLong: Error, Equatable {
        package let length: UInt32
    }

    private var bytes: [UInt8] = []
    private var start = 0

    package init() {}

    package mutating func feed(_ more: some Collection<UInt8>) {
        // What was taken is dropped when it is worth a copy, not at every frame.
        if start > 64 * 1024 || start == bytes.count {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The next whole frame; nothing when its end has not arrived.
    package mutating func next() throws(TooLong) -> Frame? {
        guard bytes.count - start >= Frame.headerLength else { return nil }
        let length = number(at: start)
        guard length <= Frame.largestPayload else { throw TooLong(length: length) }
        let end = start + Frame.headerLength + Int(length)
        guard bytes.count >= end else { return nil }
        defer { start = end }
        return Frame(
            stream: number(at: start + 4), payload: Array(bytes[(start + Frame.headerLength)..<end]))
    }

    private func number(at index: Int) -> UInt32 {
        bytes[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
