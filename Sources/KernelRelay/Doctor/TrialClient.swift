import CZMQ
import Glibc
import RelayLink

/// A Jupyter client that asks a kernel one thing, over the five front ports and with the notebook's key, as any other.
///
/// Concurrency: made, used and gone on the thread of one call, which it blocks until its deadline. A descriptor that
/// becomes readable ends every wait.
final class TrialClient {
    enum Trouble: Error {
        /// The kernel has ended.
        case cancelled
        case silent
        case system(RelayError)
    }

    /// What a message says, as far as it matters here.
    private struct Message {
        let type: String
        let parent: String
        let content: [String: JSON]
    }

    struct Answer: Sendable {
        var text = ""
        /// Name and value of what was raised.
        var failure: String?
    }

    // The context last: it waits for its sockets.
    private let shell: Socket
    private let control: Socket
    private let output: Socket
    private let maker: MessageMaker
    private let verifier: Signer
    private let session = SigningKey.random().text
    private let cancelled: Int32
    private let deadline: ContinuousClock.Instant
    private let context: Context

    init(_ notebook: ConnectionInfo, cancelled: Int32, deadline: ContinuousClock.Instant) throws(RelayError) {
        self.cancelled = cancelled
        self.deadline = deadline
        let context = try Context()
        let shell = try Self.connected(.dealer, notebook.endpoint(.shell), context)
        let control = try Self.connected(.dealer, notebook.endpoint(.control), context)
        let output = try Self.connected(.xsub, notebook.endpoint(.iopub), context)
        maker = try MessageMaker(for: notebook)
        verifier = try Signer(scheme: notebook.scheme, key: notebook.key)
        var everything: UInt8 = 1
        if zmq_send(output.handle, &everything, 1, ZMQ_DONTWAIT) < 0 { throw .zmq("subscribe") }
        self.context = context
        self.shell = shell
        self.control = control
        self.output = output
    }

    private static func connected(
        _ kind: Socket.Kind, _ endpoint: String, _ context: borrowing Context
    ) throws(RelayError) -> Socket {
        let socket = try Socket(kind, in: context)
        try socket.set(ZMQ_LINGER, 0)
        try socket.connect(endpoint)
        return socket
    }

    /// Waits for the first reply, and until what the kernel publishes arrives as well.
    func meet() throws(Trouble) {
        var asked: Set<String> = []
        var hasReply = false
        var hasOutput = false
        while !hasReply || !hasOutput {
            // A subscription takes a moment; who asks before it has arrived hears nothing, and asks again.
            let request = try send("kernel_info_request", "{}", to: shell)
            asked.insert(request)
            try listen(until: min(deadline, .now + .seconds(1))) { message in
                guard asked.contains(message.parent) else { return false }
                if message.type == "kernel_info_reply" { hasReply = true } else { hasOutput = true }
                return hasReply && hasOutput
            }
            if !hasReply || !hasOutput, ContinuousClock.now >= deadline { throw .silent }
        }
    }

    func compute(_ code: String) throws(Trouble) -> Answer {
        let content: JSON = [
            "code": .string(code), "silent": false, "store_history": false, "user_expressions": .object([:]),
            "allow_stdin": false, "stop_on_error": true,
        ]
        let request = try send("execute_request", String(decoding: content.encoded, as: UTF8.self), to: shell)
        var answer = Answer()
        var isIdle = false
        var isReplied = false
        try listen(until: deadline) { message in
            guard message.parent == request else { return false }
            switch message.type {
            case "execute_result", "display_data":
                answer.text += message.content["data"]?.fields?["text/plain"]?.text ?? ""
            case "stream": answer.text += message.content["text"]?.text ?? ""
            case "error": answer.failure = Self.failure(message.content)
            case "status": isIdle = message.content["execution_state"]?.text == "idle" || isIdle
            case "execute_reply":
                isReplied = true
                if message.content["status"]?.text == "error" {
                    answer.failure = Self.failure(message.content)
                }
            default: break
            }
            return isIdle && isReplied
        }
        if !isReplied { throw .silent }
        return answer
    }

    /// Asks it to end. The end itself is what counts, and others see that; a reply need not come before.
    func shutDown() throws(Trouble) {
        _ = try send("shutdown_request", #"{"restart":false}"#, to: control)
        try listen(until: deadline) { $0.type == "shutdown_reply" }
    }

    private static func failure(_ content: [String: JSON]) -> String {
        let name = content["ename"]?.text ?? "error"
        return RelayLink.printable("\(name): \(content["evalue"]?.text ?? "")", limit: 400)
    }

    // MARK: - Messages

    private func send(_ type: String, _ content: String, to socket: borrowing Socket) throws(Trouble)
        -> String
    {
        let header = MessageHeader(id: "", type: type, username: "doctor", session: session, version: "5.3")
        guard var frames = maker.message(to: [], header, content: Array(content.utf8)),
            let sent = MessageHeader(frames.view(2))
        else { throw .system(RelayError(.system, "a message cannot be made")) }
        guard case .sent = frames.send(to: socket.handle) else { throw .silent }
        return sent.id
    }

    /// Hands every message to `heard` until that is content, or the time is over.
    private func listen(
        until limit: ContinuousClock.Instant, _ heard: (Message) -> Bool
    ) throws(Trouble) {
        var frames = Frames()
        while true {
            var items = [shell.handle, control.handle, output.handle].map {
                zmq_pollitem_t(socket: $0, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
            }
            items.append(zmq_pollitem_t(socket: nil, fd: cancelled, events: Int16(ZMQ_POLLIN), revents: 0))
            let ready = zmq_poll(&items, Int32(items.count), Int(limit.milliseconds(from: .now)))
            if ready < 0, zmq_errno() != EINTR { throw .system(.zmq("zmq_poll")) }
            if items[3].revents != 0 { throw .cancelled }
            for item in items.prefix(3) where item.revents != 0 {
                while case .message = frames.receive(from: item.socket) {
                    if let message = read(frames), heard(message) { return }
                }
            }
            if ContinuousClock.now >= limit { return }
        }
    }

    /// Nothing for what is not signed as it must be.
    private func read(_ frames: borrowing Frames) -> Message? {
        let mark = Array(Layout.mark.description.utf8)
        let finding = Layout.find(frames: frames.count, routed: false) { frames.view($0).elementsEqual(mark) }
        guard case .message(let layout) = finding, isSigned(frames, layout),
            let header = MessageHeader(frames.view(layout.header)),
            let parent = MessageHeader(frames.view(layout.parentHeader))
        else { return nil }
        let content = try? JSON(parsing: Array(frames.view(layout.signed.upperBound - 1)))
        return Message(type: header.type, parent: parent.id, content: content?.fields ?? [:])
    }

    private func isSigned(_ frames: borrowing Frames, _ layout: Layout) -> Bool {
        verifier.begin()
        for index in layout.signed { verifier.update(frames.bytes(index), frames.size(index)) }
        var signature = [UInt8](repeating: 0, count: Signer.longest)
        guard verifier.finish(into: &signature), frames.size(layout.signature) == verifier.length else {
            return false
        }
        return equalInConstantTime(signature, frames.bytes(layout.signature), verifier.length)
    }
}

// From tasks: each conversation on a thread of its own, sockets and all.
extension TrialClient {
    struct Conversation: Sendable {
        let answer: Answer
        let met, done: ContinuousClock.Instant
    }

    static func converse(
        _ notebook: ConnectionInfo, _ bell: WakeUp, by deadline: ContinuousClock.Instant
    ) async throws(Trouble) -> Conversation {
        try await alone { () throws(Trouble) in
            let client = try make(notebook, bell, deadline)
            try client.meet()
            let met = ContinuousClock.now
            return Conversation(answer: try client.compute("1+1"), met: met, done: .now)
        }
    }

    static func dismiss(_ notebook: ConnectionInfo, _ bell: WakeUp) async throws(Trouble) {
        try await alone { () throws(Trouble) in
            let client = try make(notebook, bell, .now + Tuning.trialEnds)
            do throws(Trouble) {
                try client.shutDown()
            } catch {
                // That it has gone already is what was asked for.
                guard case .cancelled = error else { throw error }
            }
        }
    }

    private static func make(
        _ notebook: ConnectionInfo, _ bell: WakeUp, _ deadline: ContinuousClock.Instant
    ) throws(Trouble) -> TrialClient {
        do throws(RelayError) {
            return try TrialClient(notebook, cancelled: bell.descriptor, deadline: deadline)
        } catch {
            throw .system(error)
        }
    }

    private static func alone<Value: Sendable>(
        _ work: @escaping @Sendable () throws(Trouble) -> Value
    ) async throws(Trouble) -> Value {
        let result: Result<Value, Trouble>
        do throws(RelayError) {
            result = try await offload("kr-trial") { .success(Result { () throws(Trouble) in try work() }) }
        } catch {
            throw .system(error)
        }
        return try result.get()
    }
}
