import FoundationEssentials

/// Welcomes clients that subscribe to iopub, in the name of a kernel that does so.
///
/// A kernel with an XPUB (ipykernel 7.2 and later) sends `iopub_welcome` to whoever is first to subscribe to
/// a topic. Behind a relay that is always the relay, and so no later client would ever be welcomed. The
/// greeter hears the kernel's own welcome pass, and from then on says the same to each new subscriber, signed
/// for the front. A kernel that welcomes nobody makes no greeting here either.
///
/// Concurrency: confined to the relay's thread.
final class Greeter {
    private let signer: Signer
    private unowned let output: Lane
    /// The header of the kernel's welcome, once it came.
    private var header: [String: JSONValue]?
    /// Messages in which the welcome may still be.
    private var attention = 0
    /// Topics that somebody subscribed to before the welcome came. Those who want everything get that very
    /// welcome.
    private var waiting: [[UInt8]] = []

    init(for front: ConnectionInfo, through output: Lane) throws(RelayError) {
        let signer = try Signer(scheme: front.scheme, key: front.key)
        self.signer = signer
        self.output = output
    }

    @inline(__always)
    var isListening: Bool { attention > 0 }

    /// A new kernel: it may greet differently, or not at all.
    func forget() {
        header = nil
        attention = Tuning.welcomeWithin
    }

    /// Looks for the kernel's welcome in a message that was verified.
    func hear(_ frames: borrowing Frames, _ layout: Layout) {
        attention -= 1
        let part = layout.signed.lowerBound
        let bytes = Data(bytes: frames.bytes(part), count: frames.size(part))
        guard let fields = try? JSONDecoder().decode([String: JSONValue].self, from: bytes),
            fields["msg_type"] == .string("iopub_welcome")
        else { return }
        header = fields
        attention = 0
        for topic in waiting { greet(topic) }
        waiting = []
    }

    /// Somebody subscribed.
    func greet(_ topic: [UInt8]) {
        guard var header else {
            if !topic.isEmpty, waiting.count < Tuning.mostTopics, !waiting.contains(topic) {
                waiting.append(topic)
            }
            return
        }
        guard let text = String(validating: topic, as: UTF8.self) else { return }
        // Clients refuse a signature that they have seen: the header must differ each time.
        header["msg_id"] = .string(UUID().uuidString.lowercased())
        header["date"] = .string(Date.now.ISO8601Format())
        guard let head = try? JSONEncoder().encode(header),
            let content = try? JSONEncoder().encode(["subscription": text])
        else { return }
        let parts = [Array(head), Array("{}".utf8), Array("{}".utf8), Array(content)]
        let identity = topic.isEmpty ? [] : [topic]
        let mark = Array(Layout.mark.description.utf8)
        output.add(Frames(identity + [mark, signature(of: parts)] + parts))
    }

    private func signature(of parts: [[UInt8]]) -> [UInt8] {
        signer.begin()
        for part in parts { signer.update(part, part.count) }
        return [UInt8](unsafeUninitializedCapacity: Signer.longest) { buffer, count in
            signer.finish(into: buffer.baseAddress!)
            count = signer.length
        }
    }
}
