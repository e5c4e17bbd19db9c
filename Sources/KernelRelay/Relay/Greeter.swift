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
    private let maker: MessageMaker
    /// The header of the kernel's welcome, once it came.
    private var header: MessageHeader?
    /// Messages in which the welcome may still be.
    private var attention = 0
    /// Topics that somebody subscribed to and was not yet welcomed on.
    private var owed: Set<[UInt8]> = []

    init(_ maker: MessageMaker) { self.maker = maker }

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
        guard let heard = MessageHeader(frames.view(layout.header)), heard.type == "iopub_welcome" else {
            return
        }
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
        guard let header, let topic = owed.popFirst(), let text = String(validating: topic, as: UTF8.self),
            let content = try? JSONEncoder().encode(["subscription": text])
        else { return nil }
        return maker.message(to: topic.isEmpty ? [] : [topic], header, content: Array(content))
    }
}
