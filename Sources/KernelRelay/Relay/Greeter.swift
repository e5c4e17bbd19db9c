import FoundationEssentials

/// Welcomes clients that subscribe to iopub, in the name of a kernel that does so.
///
/// A kernel with an XPUB (ipykernel 7.2 and later) sends `iopub_welcome` to whoever is first to subscribe to
/// a topic. Behind a relay that is always the relay, and so no later client would ever be welcomed. The
/// greeter hears the kernel's own welcome pass, and from then on says the same to new subscribers, signed for
/// the front. A kernel that welcomes nobody makes no greeting here either.
///
/// Anybody who can connect can subscribe, any number of times. So a greeting is owed to a topic and not to a
/// subscriber, all who wait for it get the same one, and it is made when the output has room.
///
/// Concurrency: confined to the relay's thread.
final class Greeter {
    /// What a welcome's header says. Decoded into these fields alone: the header is the kernel's, and a
    /// deeply nested one must not exhaust this thread's stack.
    private struct Header: Codable {
        var id: String
        let type: String
        let username: String?
        let session: String?
        var date: String?
        let version: String?

        enum CodingKeys: String, CodingKey {
            case id = "msg_id"
            case type = "msg_type"
            case username, session, date, version
        }
    }

    private let signer: Signer
    /// The header of the kernel's welcome, once it came.
    private var header: Header?
    /// Messages in which the welcome may still be.
    private var attention = 0
    /// Topics that somebody subscribed to and was not yet welcomed on.
    private var owed: Set<[UInt8]> = []

    init(for front: ConnectionInfo) throws(RelayError) {
        let signer = try Signer(scheme: front.scheme, key: front.key)
        self.signer = signer
    }

    @inline(__always)
    var isListening: Bool { attention > 0 }

    /// Whether somebody waits for a greeting that can be made.
    var hasGreetings: Bool { header != nil && !owed.isEmpty }

    /// A new kernel: it may greet differently, or not at all.
    func forget() {
        header = nil
        attention = Tuning.welcomeWithin
    }

    /// Looks for the kernel's welcome in a message that was verified.
    func hear(_ frames: borrowing Frames, _ layout: Layout) {
        attention -= 1
        let part = layout.signed.lowerBound
        guard frames.size(part) <= Tuning.largestWelcome else { return }
        let bytes = Data(bytes: frames.bytes(part), count: frames.size(part))
        guard let heard = try? JSONDecoder().decode(Header.self, from: bytes),
            heard.type == "iopub_welcome"
        else { return }
        header = heard
        attention = 0
        // Those who want everything get this very welcome.
        owed.remove([])
    }

    /// Somebody subscribed.
    func owe(_ topic: [UInt8]) {
        if owed.count < Tuning.mostTopics { owed.insert(topic) }
    }

    /// A greeting for a topic on which somebody waits.
    func next() -> Frames? {
        guard header != nil, let topic = owed.popFirst(), let text = String(validating: topic, as: UTF8.self)
        else {
            return nil
        }
        // Clients refuse a signature that they have seen: the header must differ each time.
        header?.id = UUID().uuidString.lowercased()
        header?.date = Date.now.ISO8601Format()
        guard let head = try? JSONEncoder().encode(header),
            let content = try? JSONEncoder().encode(["subscription": text])
        else { return nil }
        let parts = [Array(head), Array("{}".utf8), Array("{}".utf8), Array(content)]
        let identity = topic.isEmpty ? [] : [topic]
        return Frames(identity + [Array(Layout.mark.description.utf8), signature(of: parts)] + parts)
    }

    private func signature(of parts: [[UInt8]]) -> [UInt8] {
        signer.begin()
        for part in parts { signer.update(part, part.count) }
        return [UInt8](unsafeUninitializedCapacity: Signer.longest) { buffer, count in
            count = signer.finish(into: buffer.baseAddress!) ? signer.length : 0
        }
    }
}
