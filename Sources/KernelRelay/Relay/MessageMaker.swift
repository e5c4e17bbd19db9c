import FoundationEssentials

/// What a message's header says. Decoded into these fields alone: it is somebody else's, and a deeply nested one must
/// not exhaust a thread's stack.
struct MessageHeader: Codable {
    var id: String
    var type: String
    var username: String?
    var session: String?
    var date: String?
    var version: String?

    enum CodingKeys: String, CodingKey {
        case id = "msg_id"
        case type = "msg_type"
        case username, session, date, version
    }
}

extension MessageHeader {
    /// Nothing for what is not a header, or larger than one that this relay has to do with can be.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= Tuning.largestHeader,
            let header = try? JSONDecoder().decode(Self.self, from: Data(bytes))
        else { return nil }
        self = header
    }
}

/// Makes the few messages that a relay says itself, signed for one of its sides.
///
/// Concurrency: confined to the relay's thread, like the signer in it.
final class MessageMaker {
    private let signer: Signer

    convenience init(for side: ConnectionInfo) throws(RelayError) {
        try self.init(scheme: side.scheme, key: side.key)
    }

    init(scheme: SignatureScheme, key: SigningKey) throws(RelayError) {
        signer = try Signer(scheme: scheme, key: key)
    }

    /// A message with the fields of `header`, but an id and a date of its own: clients refuse a signature that they
    /// have seen.
    ///
    /// - Parameters:
    ///   - parent: the header that it answers, as it came.
    ///   - content: JSON.
    func message(
        to identities: [[UInt8]], _ header: MessageHeader, answering parent: [UInt8] = Array("{}".utf8),
        content: [UInt8]
    ) -> Frames? {
        var header = header
        header.id = UUID().uuidString.lowercased()
        header.date = Date.now.ISO8601Format()
        guard let head = try? JSONEncoder().encode(header) else { return nil }
        let parts = [Array(head), parent, Array("{}".utf8), content]
        return Frames(identities + [Array(Layout.mark.description.utf8), signature(of: parts)] + parts)
    }

    private func signature(of parts: [[UInt8]]) -> [UInt8] {
        signer.begin()
        for part in parts { signer.update(part, part.count) }
        return [UInt8](unsafeUninitializedCapacity: Signer.longest) { buffer, count in
            count = signer.finish(into: buffer.baseAddress!) ? signer.length : 0
        }
    }
}
