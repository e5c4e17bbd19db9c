import FoundationEssentials
import Glibc
import RelayLink

/// That something happened to containers with one label, as the engine tells it. What, the engine is asked.
///
/// Engines word their events differently, and a line that was missed must not count. So an event only rings, and
/// however many come while nobody looks, they ring once.
package struct EngineEvents: Sendable {
    /// Ends with the engine's client, and so with the engine.
    package let rings: AsyncStream<Void>
    private let child: ChildProcess
    private let reader: LineReader
    /// Read, so that the client never waits for it.
    private let complaints: StreamCapture

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - since: in seconds since 1970: what happened between this and the client's connection is told first.
    ///   - until: when the client ends by itself. One whose relayd was killed knows nothing of it otherwise.
    package init(of engine: Engine, label: String, since: Int, until: Int) async throws(RelayError) {
        let (ours, theirs) = try Pipe.pair()
        let words = [
            "events", "--since", String(since), "--until", String(until), "--format", "{{json .}}",
            "--filter", "type=container",
        ]
        let (child, complaints) = try await engine.command(words).start(
            stdin: nil, stdout: theirs, alsoClosing: ours)
        let (rings, bell) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.rings = rings
        self.child = child
        self.complaints = complaints
        reader = try LineReader(ours, limit: Tuning.longestEvent) { line, isWhole in
            if !isWhole || Self.isChange(line, label: label) { bell.yield() }
        } onEnd: {
            bell.finish()
        }
        // Somebody whom the client left behind may hold the pipe for ever.
        Task {
            _ = await child.exit()
            bell.finish()
        }
    }

    package func close() {
        child.kill()
        reader.close()
    }

    private struct Event: Decodable {
        struct Actor: Decodable {
            let attributes: [String: String]?
            enum CodingKeys: String, CodingKey { case attributes = "Attributes" }
        }

        /// Docker's newer and older word, and Podman's.
        let action, status, word: String?
        /// The container's labels among other things: Docker's place for them, and Podman's.
        let actor: Actor?
        let attributes: [String: String]?
        enum CodingKeys: String, CodingKey {
            case action = "Action"
            case status = "status"
            case word = "Status"
            case actor = "Actor"
            case attributes = "Attributes"
        }
    }

    /// Whether a container with this label may have begun or ended, or has another name. Every exec in one is an event
    /// too. Podman takes no label without its value for a filter, so that they are told apart here.
    package static func isChange(_ line: [UInt8], label: String) -> Bool {
        if line.isEmpty { return false }
        guard let event = try? JSONDecoder().decode(Event.self, from: Data(line)),
            let word = event.action ?? event.status ?? event.word
        else { return true }
        if let labels = event.actor?.attributes ?? event.attributes, labels[label] == nil { return false }
        return changes.contains(word)
    }

    private static let changes: Set<String> = [
        "start", "restart", "die", "died", "stop", "stopped", "destroy", "remove", "rename", "pause",
        "unpause",
        "cleanup",
    ]
}
