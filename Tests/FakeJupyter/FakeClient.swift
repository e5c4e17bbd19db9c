import CZMQ
import Glibc

/// A Jupyter client: DEALERs with one shared routing id, a SUB, and a REQ for the heartbeat.
///
/// Concurrency: not Sendable; it lives on the thread that made it. No call blocks without a deadline.
///
/// Every message that comes in is verified when it is taken off its socket; one that fails ends the call with an
/// error, since a relay must never let such a message reach a client.
package final class FakeClient {
    package let address: PeerAddress
    package let session: String
    package let routingID: [UInt8]
    private let context = PeerContext()
    private var sockets: [PeerChannel: PeerSocket] = [:]
    private var handshakes: [PeerHandshake] = []
    private var heartbeat: PeerSocket?
    private let curve: PeerAddress.Curve?
    /// Messages that came while another was awaited, in order of arrival.
    private var held: [PeerChannel: [SignedMessage]] = [:]

    /// Connects all channels and subscribes to `topic` (everything, unless told otherwise).
    package init(
        _ address: PeerAddress, session: String? = nil, routingID: [UInt8]? = nil, topic: String = "",
        iopubHighWaterMark: Int32 = 1000, replyHighWaterMark: Int32 = 1000
    ) throws {
        self.address = address
        let session = session ?? "client-\(getpid())-\(Deadline.now())"
        self.session = session
        self.routingID = routingID ?? Array(session.utf8)
        curve = address.curve.map { _ in PeerAddress.Curve.generate() }
        for channel in [PeerChannel.shell, .control, .stdin, .iopub] {
            let socket = try PeerSocket(context, channel == .iopub ? .sub : .dealer)
            if channel == .iopub {
                try socket.set(ZMQ_RCVHWM, iopubHighWaterMark)
                try socket.set(ZMQ_SUBSCRIBE, topic)
            } else {
                try socket.set(ZMQ_ROUTING_ID, self.routingID)
                try socket.set(ZMQ_RCVHWM, replyHighWaterMark)
            }
            try secure(socket, channel)
            let handshake = try PeerHandshake(context, of: socket)
            try socket.connect(address.endpoint(channel))
            sockets[channel] = socket
            handshakes.append(handshake)
        }
    }

    /// Waits until every channel has shaken hands with its peer; false when that did not happen in time.
    package func isConnected(within milliseconds: Int = 10_000) throws -> Bool {
        let deadline = Deadline(milliseconds: milliseconds)
        return try handshakes.allSatisfy { try $0.isDone(within: deadline.milliseconds) }
    }

    deinit { close() }

    /// Drops the connections at once.
    package func close() {
        for handshake in handshakes { handshake.stop() }
        handshakes = []
        for socket in sockets.values { socket.close() }
        sockets = [:]
        heartbeat?.close()
        heartbeat = nil
    }

    private func secure(_ socket: PeerSocket, _ channel: PeerChannel) throws {
        if let server = address.curve, let own = curve {
            try socket.set(ZMQ_CURVE_SERVERKEY, server.publicKey)
            try socket.set(ZMQ_CURVE_PUBLICKEY, own.publicKey)
            try socket.set(ZMQ_CURVE_SECRETKEY, own.secretKey)
        } else if let plain = address.plain {
            try socket.set(ZMQ_PLAIN_USERNAME, plain.user(on: channel))
            try socket.set(ZMQ_PLAIN_PASSWORD, plain.password)
        }
    }

    private func socket(_ channel: PeerChannel) throws -> PeerSocket {
        guard let socket = sockets[channel] else { throw PeerError("\(channel) is closed") }
        return socket
    }

    // MARK: - Sending

    /// Sends a request and returns its msg_id.
    @discardableResult
    package func request(
        _ type: String, content: String = "{}", buffers: [[UInt8]] = [], on channel: PeerChannel = .shell
    ) throws -> String {
        let message = SignedMessage(type, session: session, content: content, buffers: buffers)
        try send(message, on: channel)
        return message.id
    }

    package func send(_ message: SignedMessage, on channel: PeerChannel) throws {
        try sendRaw(message.frames(for: address), on: channel)
    }

    /// Sends frames exactly as given: the place for wrong signatures and broken messages.
    package func sendRaw(_ frames: [[UInt8]], on channel: PeerChannel) throws {
        guard try socket(channel).send(frames) else { throw PeerError("\(channel) took no message in 5 s") }
    }

    /// Answers an input_request on the stdin channel.
    package func answer(_ question: SignedMessage, value: String) throws {
        let reply = SignedMessage(
            "input_reply", session: session, content: "{\"value\": \(JSONText.quoted(value))}",
            parentHeader: question.header)
        try send(reply, on: .stdin)
    }

    // MARK: - Receiving

    /// The next message on a channel that satisfies `wanted`, others being held for later calls; nil in the end.
    package func next(
        on channel: PeerChannel, timeout milliseconds: Int = 5000,
        where wanted: (SignedMessage) -> Bool = { _ in true }
    ) throws -> SignedMessage? {
        if let index = held[channel]?.firstIndex(where: wanted) { return held[channel]?.remove(at: index) }
        let deadline = Deadline(milliseconds: milliseconds)
        while let frames = try socket(channel).receive(timeout: deadline.milliseconds) {
            guard let message = SignedMessage(frames: frames) else {
                throw PeerError("\(channel) brought a message without its parts: \(frames.count) frames")
            }
            guard message.verifies(for: address) else {
                throw PeerError("\(channel) brought a wrong signature on \(message.type)")
            }
            if wanted(message) { return message }
            held[channel, default: []].append(message)
        }
        return nil
    }

    /// What came on a channel and was taken by no call so far.
    package func unclaimed(on channel: PeerChannel) throws -> [SignedMessage] {
        // One that never matches puts everything that is there among the held ones.
        _ = try next(on: channel, timeout: 0, where: { _ in false })
        return held[channel] ?? []
    }

    /// The reply to a request.
    package func reply(
        to id: String, on channel: PeerChannel = .shell, timeout milliseconds: Int = 5000
    ) throws -> SignedMessage {
        guard let reply = try next(on: channel, timeout: milliseconds, where: { $0.parentID == id }) else {
            throw PeerError("no reply to \(id) on \(channel) in \(milliseconds) ms")
        }
        return reply
    }

    /// Sends a request and awaits its reply.
    package func ask(
        _ type: String, content: String = "{}", buffers: [[UInt8]] = [], on channel: PeerChannel = .shell,
        timeout milliseconds: Int = 5000
    ) throws -> SignedMessage {
        let id = try request(type, content: content, buffers: buffers, on: channel)
        return try reply(to: id, on: channel, timeout: milliseconds)
    }

    /// All that was published about a request, from its `busy` to its `idle`.
    package func outputs(of id: String, timeout milliseconds: Int = 5000) throws -> [SignedMessage] {
        let deadline = Deadline(milliseconds: milliseconds)
        var result: [SignedMessage] = []
        while let message = try next(
            on: .iopub, timeout: deadline.milliseconds, where: { $0.parentID == id })
        {
            result.append(message)
            if message.type == "status", JSONText.string("execution_state", in: message.content) == "idle" {
                return result
            }
        }
        throw PeerError("no idle for \(id) in \(milliseconds) ms; came: \(result.map(\.type))")
    }

    /// Asks for kernel_info until a reply and something published about it have come, as jupyter_server does: after
    /// this the subscription is known to reach the kernel.
    package func settle(timeout milliseconds: Int = 10_000) throws {
        let deadline = Deadline(milliseconds: milliseconds)
        while !deadline.passed {
            let id = try request("kernel_info_request")
            let patience = min(500, deadline.milliseconds)
            guard try next(on: .shell, timeout: patience, where: { $0.parentID == id }) != nil else {
                continue
            }
            if try next(on: .iopub, timeout: 200, where: { $0.parentID == id }) != nil {
                _ = try? outputs(of: id, timeout: 200)
                return
            }
        }
        throw PeerError("the kernel did not answer in \(milliseconds) ms")
    }

    /// One heartbeat; a REQ that was not answered is thrown away, as jupyter_client does.
    package func ping(timeout milliseconds: Int = 1000) throws -> Bool {
        if heartbeat == nil {
            let socket = try PeerSocket(context, .req)
            try secure(socket, .hb)
            try socket.connect(address.endpoint(.hb))
            heartbeat = socket
        }
        let probe = Array("ping \(Deadline.now())".utf8)
        if let heartbeat, try heartbeat.send([probe], timeout: milliseconds),
            let answer = try heartbeat.receive(timeout: milliseconds)
        {
            guard answer == [probe] else { throw PeerError("the heartbeat came back changed") }
            return true
        }
        heartbeat?.close()
        heartbeat = nil
        return false
    }
}
