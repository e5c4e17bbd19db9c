import CZMQ
import Glibc
import Synchronization

/// A Jupyter message: routing frames or a topic, the four signed parts, and any number of unsigned buffers.
package struct SignedMessage: Sendable {
    package static let delimiter = Array("<IDS|MSG>".utf8)

    package var identities: [[UInt8]]
    package var signature: [UInt8] = []
    package var header: [UInt8]
    package var parentHeader: [UInt8]
    package var metadata: [UInt8]
    package var content: [UInt8]
    package var buffers: [[UInt8]]

    /// A new message with a fresh msg_id.
    package init(
        _ type: String, session: String, content: String = "{}", parentHeader: [UInt8] = Array("{}".utf8),
        metadata: String = "{}", identities: [[UInt8]] = [], buffers: [[UInt8]] = [],
        username: String = "fake",
        id: String? = nil
    ) {
        let id = id ?? SignedMessage.freshID(session)
        let fields = [
            "\"msg_id\": \(JSONText.quoted(id))", "\"msg_type\": \(JSONText.quoted(type))",
            "\"username\": \(JSONText.quoted(username))", "\"session\": \(JSONText.quoted(session))",
            "\"date\": \"\(SignedMessage.date())\"", "\"version\": \"5.4\"",
        ]
        header = Array("{\(fields.joined(separator: ", "))}".utf8)
        self.identities = identities
        self.parentHeader = parentHeader
        self.metadata = Array(metadata.utf8)
        self.content = Array(content.utf8)
        self.buffers = buffers
    }

    /// Takes frames apart; nil when there is no delimiter or too little after it. Nothing is verified here.
    package init?(frames: [[UInt8]]) {
        guard let split = frames.firstIndex(of: SignedMessage.delimiter), frames.count >= split + 6 else {
            return nil
        }
        identities = Array(frames[..<split])
        signature = frames[split + 1]
        header = frames[split + 2]
        parentHeader = frames[split + 3]
        metadata = frames[split + 4]
        content = frames[split + 5]
        buffers = Array(frames[(split + 6)...])
    }

    /// Every frame as it goes on the wire, signed under the address's key.
    package func frames(for address: PeerAddress) -> [[UInt8]] {
        let code = PeerSignature.hex(key: address.key, digest: address.digest, parts: signedParts)
        return identities + [SignedMessage.delimiter, code] + signedParts + buffers
    }

    /// Whether the signature it came with is right; with an empty key anything is.
    package func verifies(for address: PeerAddress) -> Bool {
        address.key.isEmpty
            || signature == PeerSignature.hex(key: address.key, digest: address.digest, parts: signedParts)
    }

    package var type: String { JSONText.string("msg_type", in: header) ?? "" }
    package var id: String { JSONText.string("msg_id", in: header) ?? "" }
    package var session: String { JSONText.string("session", in: header) ?? "" }
    package var parentID: String { JSONText.string("msg_id", in: parentHeader) ?? "" }
    package var contentText: String { String(decoding: content, as: UTF8.self) }
    /// The topic of a published message.
    package var topic: String { String(decoding: identities.first ?? [], as: UTF8.self) }

    private var signedParts: [[UInt8]] { [header, parentHeader, metadata, content] }

    private static let counter = Atomic<UInt64>(0)

    private static func freshID(_ session: String) -> String {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        return "\(session)_\(getpid())_\(number)"
    }

    private static func date() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        var seconds = time.tv_sec
        gmtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let micros = String(1_000_000 + time.tv_nsec / 1000).dropFirst()
        return "\(1900 + parts.tm_year)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(micros)Z"
    }
}
