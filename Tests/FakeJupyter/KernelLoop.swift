import CZMQ
import Glibc

/// The fake kernel's thread: five sockets, a ZAP responder where PLAIN is asked for, and one poll over them all.
///
/// Concurrency: made, run and ended on one thread by `run`; nothing of it escapes but what it writes to the ledger.
///
/// Control is served first and between any two steps of a flood. XPUB with NODROP claims to be writable always, so
/// "is there room" is asked by trying; while there is none, the loop polls the other sockets for a millisecond.
final class KernelLoop {
    private struct Flood {
        let request: SignedMessage
        let channel: PeerChannel
        let count: Int
        let size: Int
        let then: [KernelAction]
        /// Set for a storm: what it takes its messages from, in turn.
        var pool: [[[UInt8]]] = []
        var next = 0
        var ready: [[UInt8]]?
    }

    private struct Question {
        let request: SignedMessage
        let channel: PeerChannel
        let id: String
        let then: [KernelAction]
    }

    private struct Outgoing {
        let frames: [[UInt8]]
        let deadline: Deadline
    }

    private let address: PeerAddress
    private let options: FakeKernel.Options
    private let ledger: KernelLedger
    private let mailbox: KernelMailbox
    private let wake: Int32
    private let order: [PeerChannel] = [.control, .stdin, .shell, .iopub, .hb]
    private let sockets: [PeerChannel: PeerSocket]
    private let zap: PeerSocket?

    private var floods: [Flood] = []
    private var questions: [Question] = []
    private var outbox: [PeerChannel: [Outgoing]] = [:]
    private var paused: Set<PeerChannel> = []
    private var ending = false
    private var stopped = false

    /// Serves until told to stop or shut down; when it returns, the ports are free.
    static func run(
        _ address: PeerAddress, _ options: FakeKernel.Options, ledger: KernelLedger, mailbox: KernelMailbox,
        wake: Int32
    ) throws {
        let loop = try KernelLoop(address, options, ledger: ledger, mailbox: mailbox, wake: wake)
        defer { loop.close() }
        ledger.update { $0.isBound = true }
        while try !loop.isDone { try loop.turn() }
    }

    private init(
        _ address: PeerAddress, _ options: FakeKernel.Options, ledger: KernelLedger, mailbox: KernelMailbox,
        wake: Int32
    ) throws {
        self.address = address
        self.options = options
        self.ledger = ledger
        self.mailbox = mailbox
        self.wake = wake
        let context = PeerContext()
        // The responder must be there before the first handshake, so it is bound before the ports are.
        zap = try address.plain.map { _ in
            let socket = try PeerSocket(context, .rep)
            try socket.bind("inproc://zeromq.zap.01")
            return socket
        }
        var sockets: [PeerChannel: PeerSocket] = [:]
        for channel in PeerChannel.allCases {
            let socket = try PeerSocket(context, channel == .iopub ? .xpub : .router)
            if channel == .iopub {
                try socket.set(ZMQ_XPUB_NODROP, 1)
                try socket.set(ZMQ_XPUB_VERBOSE, 1)
                try socket.set(ZMQ_SNDHWM, options.iopubHighWaterMark)
            } else {
                try socket.set(ZMQ_ROUTER_MANDATORY, 1)
                try socket.set(ZMQ_ROUTER_HANDOVER, 1)
                try socket.set(ZMQ_RCVHWM, options.requestHighWaterMark)
            }
            if address.plain != nil { try socket.set(ZMQ_PLAIN_SERVER, 1) }
            if let curve = address.curve {
                try socket.set(ZMQ_CURVE_SERVER, 1)
                try socket.set(ZMQ_CURVE_SECRETKEY, curve.secretKey)
            }
            if options.bindPause > 0 { _ = Glibc.poll(nil, 0, options.bindPause) }
            try socket.bind(address.endpoint(channel))
            sockets[channel] = socket
        }
        self.sockets = sockets
    }

    /// Over when stopped, or when ending with nothing left to say.
    private var isDone: Bool {
        get throws { stopped || (ending && floods.isEmpty && outbox.values.allSatisfy(\.isEmpty)) }
    }

    private func close() {
        // A kernel that ends of itself lets its last words out; linger bounds how long a dead peer can hold it.
        for socket in sockets.values {
            if ending { try? socket.set(ZMQ_LINGER, 1000) }
            socket.close()
        }
        zap?.close()
    }

    private func turn() throws {
        try flush()
        let flooding = try stepFlood()
        // What was just sent may have been the last: then there is nothing to wait for.
        if try isDone { return }
        try poll(milliseconds: flooding == .moving ? 0 : flooding == .stuck || hasOutgoing ? 1 : -1)
    }

    private var hasOutgoing: Bool { !outbox.values.allSatisfy(\.isEmpty) }

    // MARK: - Reading

    private func poll(milliseconds: Int) throws {
        var items = [zmq_pollitem_t(socket: nil, fd: wake, events: Int16(ZMQ_POLLIN), revents: 0)]
        let readers = order.filter { !paused.contains($0) }
        for channel in readers {
            items.append(
                zmq_pollitem_t(socket: sockets[channel]?.raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0))
        }
        if let zap {
            items.append(zmq_pollitem_t(socket: zap.raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0))
        }
        guard zmq_poll(&items, Int32(items.count), milliseconds) >= 0 else {
            if zmq_errno() == EINTR { return }
            throw PeerError.zmq("poll")
        }
        if items[0].revents != 0 {
            // What is read next may depend on what was just asked, so the poll begins anew.
            obey()
            return
        }
        for (channel, item) in zip(readers, items.dropFirst()) where item.revents != 0 {
            // A few at a time, so that a channel with much to say does not hold up the ones before it.
            for _ in 0..<32 {
                guard !stopped, let frames = try sockets[channel]?.receive(timeout: 0) else { break }
                try take(frames, on: channel)
            }
        }
        if let zap, items[items.count - 1].revents != 0, let request = try zap.receive(timeout: 0) {
            try judge(request, zap)
        }
    }

    private func obey() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(wake, &bytes, bytes.count) > 0 {}
        for command in mailbox.take() {
            switch command {
            case .stop(let abrupt):
                stopped = true
                ending = !abrupt
            case .pause(let channels):
                paused = channels
                ledger.update { $0.paused = channels }
            case .send(let channel, let frames): post(frames, on: channel)
            }
        }
    }

    private func take(_ frames: [[UInt8]], on channel: PeerChannel) throws {
        let message = SignedMessage(frames: frames)
        let isGood = message?.verifies(for: address) ?? true
        ledger.update {
            if options.keepsMessages || channel == .iopub { $0.received[channel, default: []].append(frames) }
            if !isGood { $0.badSignatures += 1 }
        }
        switch channel {
        case .hb:
            post(frames, on: .hb)
        case .iopub:
            if options.sendsWelcome, let frame = frames.first, frame.first == 1 {
                welcome(Array(frame.dropFirst()))
            }
        case .stdin:
            if isGood, let message { answer(message) }
        case .shell, .control:
            if isGood, let message { perform(options.script(channel, message), for: message, on: channel) }
        }
    }

    /// PLAIN by RFC 27: right when user and password are those of one of the channels.
    private func judge(_ request: [[UInt8]], _ zap: PeerSocket) throws {
        guard request.count >= 8, let plain = address.plain else { return }
        let user = String(decoding: request[6], as: UTF8.self)
        let password = String(decoding: request[7], as: UTF8.self)
        let accepted =
            password == plain.password && PeerChannel.allCases.contains { plain.user(on: $0) == user }
        ledger.update { $0.logins.append(KernelLogin(user: user, password: password, accepted: accepted)) }
        let verdict = accepted ? ["200", "OK", user, ""] : ["400", "refused", "", ""]
        try zap.send([request[0], request[1]] + verdict.map { Array($0.utf8) })
    }

    // MARK: - Acting

    private func perform(_ actions: [KernelAction], for request: SignedMessage, on channel: PeerChannel) {
        for (index, action) in actions.enumerated() {
            switch action {
            case .reply(let type, let content, let buffers):
                say(type, content, request, request.identities, buffers, on: channel)
            case .publish(let type, let content, let buffers):
                say(type, content, request, [Array("kernel.\(type)".utf8)], buffers, on: .iopub)
            case .ask(let prompt, let then):
                let content = "{\"prompt\": \(JSONText.quoted(prompt)), \"password\": false}"
                let id = say("input_request", content, request, request.identities, [], on: .stdin)
                let rest = then + actions[(index + 1)...]
                questions.append(Question(request: request, channel: channel, id: id, then: rest))
                return
            case .flood(let count, let size, let then):
                let rest = then + actions[(index + 1)...]
                floods.append(Flood(request: request, channel: channel, count: count, size: size, then: rest))
                return
            case .storm(let count, let size, let then):
                let rest = then + actions[(index + 1)...]
                floods.append(
                    Flood(
                        request: request, channel: channel, count: count, size: size, then: rest,
                        pool: Storm.pool(size: size, about: request, options.session, for: address)))
                return
            case .exit:
                ending = true
            }
        }
    }

    private func answer(_ message: SignedMessage) {
        guard message.type == "input_reply", !questions.isEmpty else { return }
        let index = questions.firstIndex { $0.id == message.parentID } ?? 0
        let question = questions.remove(at: index)
        let value = JSONText.string("value", in: message.content) ?? ""
        let stream = "{\"name\": \"stdout\", \"text\": \(JSONText.quoted(value))}"
        perform(
            [.publish("stream", content: stream)] + question.then, for: question.request, on: question.channel
        )
    }

    private func welcome(_ topic: [UInt8]) {
        let content = "{\"subscription\": \(JSONText.quoted(String(decoding: topic, as: UTF8.self)))}"
        let message = SignedMessage(
            "iopub_welcome", session: options.session, content: content, identities: [topic])
        post(message.frames(for: address), on: .iopub)
    }

    @discardableResult
    private func say(
        _ type: String, _ content: String, _ request: SignedMessage, _ identities: [[UInt8]],
        _ buffers: [[UInt8]],
        on channel: PeerChannel
    ) -> String {
        let message = SignedMessage(
            type, session: options.session, content: content, parentHeader: request.header,
            identities: identities,
            buffers: buffers)
        post(message.frames(for: address), on: channel)
        return message.id
    }

    // MARK: - Writing

    private func post(_ frames: [[UInt8]], on channel: PeerChannel) {
        outbox[channel, default: []].append(Outgoing(frames: frames, deadline: Deadline(milliseconds: 3000)))
    }

    /// Sends what there is room for, in order. A reply to a peer that is not connected (stdin may come up after
    /// shell) waits for it a while; what is published waits for as long as it takes.
    private func flush() throws {
        for channel in order where !(outbox[channel]?.isEmpty ?? true) {
            guard let socket = sockets[channel] else { continue }
            var sent = 0
            for outgoing in outbox[channel] ?? [] {
                if try attempt(outgoing.frames, socket) {
                    if channel == .iopub { ledger.update { $0.published += 1 } }
                } else if channel != .iopub && outgoing.deadline.passed {
                    ledger.update { $0.unroutable += 1 }
                } else {
                    break
                }
                sent += 1
            }
            outbox[channel]?.removeFirst(sent)
        }
    }

    private func attempt(_ frames: [[UInt8]], _ socket: PeerSocket) throws -> Bool {
        do {
            return try socket.send(frames, timeout: 0)
        } catch let error as PeerError where error.code == EHOSTUNREACH {
            return false
        }
    }

    private enum FloodState {
        case none, moving, stuck
    }

    private func stepFlood() throws -> FloodState {
        guard !floods.isEmpty, let socket = sockets[.iopub] else { return .none }
        guard outbox[.iopub]?.isEmpty ?? true else { return .stuck }
        var flood = floods[0]
        var sent = 0
        var state = FloodState.moving
        let burst = flood.pool.isEmpty ? 32 : 256
        while sent < burst && flood.next < flood.count {
            let frames =
                flood.ready
                ?? (flood.pool.isEmpty
                    ? floodFrames(flood)
                    : flood.pool[flood.next % flood.pool.count] + [Storm.number(flood.next)])
            guard try attempt(frames, socket) else {
                flood.ready = frames
                state = .stuck
                break
            }
            flood.ready = nil
            flood.next += 1
            sent += 1
        }
        ledger.update {
            $0.published += sent
            if state == .stuck { $0.pauses += 1 }
        }
        if flood.next == flood.count {
            floods.removeFirst()
            perform(flood.then, for: flood.request, on: flood.channel)
        } else {
            floods[0] = flood
        }
        return state
    }

    private func floodFrames(_ flood: Flood) -> [[UInt8]] {
        let start = "{\"name\": \"stdout\", \"seq\": \(flood.next), \"text\": \""
        let padding = String(repeating: "x", count: max(0, flood.size - start.utf8.count - 2))
        let message = SignedMessage(
            "stream", session: options.session, content: start + padding + "\"}",
            parentHeader: flood.request.header,
            identities: [Array("stream".utf8)])
        return message.frames(for: address)
    }
}
