import CZMQ
import Glibc

/// A libzmq context. libzmq makes it safe to share between threads; sockets are not.
package final class PeerContext: @unchecked Sendable {
    fileprivate let raw: UnsafeMutableRawPointer

    package init(maxSockets: Int32 = 1023) {
        raw = zmq_ctx_new()
        zmq_ctx_set(raw, ZMQ_MAX_SOCKETS, maxSockets)
    }

    /// Waits for every socket to have been closed and its linger to have passed.
    deinit { zmq_ctx_term(raw) }
}

/// A libzmq socket that speaks in arrays of frames.
///
/// Concurrency: not Sendable, and meant so. A socket is made, used and closed on one thread; what crosses threads
/// is the context and the address.
package final class PeerSocket {
    package enum Kind: Sendable {
        case router, dealer, xpub, xsub, sub, req, rep, pair

        fileprivate var value: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .xpub: ZMQ_XPUB
            case .xsub: ZMQ_XSUB
            case .sub: ZMQ_SUB
            case .req: ZMQ_REQ
            case .rep: ZMQ_REP
            case .pair: ZMQ_PAIR
            }
        }
    }

    private let context: PeerContext
    package let raw: UnsafeMutableRawPointer
    private var open = true

    package init(_ context: PeerContext, _ kind: Kind, linger: Int32 = 0) throws {
        self.context = context
        guard let raw = zmq_socket(context.raw, kind.value) else { throw PeerError.zmq("zmq_socket") }
        self.raw = raw
        try set(ZMQ_LINGER, linger)
    }

    deinit { close() }

    package func close() {
        if open { zmq_close(raw) }
        open = false
    }

    package func set(_ option: Int32, _ value: Int32) throws {
        var value = value
        guard zmq_setsockopt(raw, option, &value, MemoryLayout<Int32>.size) == 0 else {
            throw PeerError.zmq("zmq_setsockopt(\(option))")
        }
    }

    package func set(_ option: Int32, _ bytes: [UInt8]) throws {
        guard zmq_setsockopt(raw, option, bytes, bytes.count) == 0 else {
            throw PeerError.zmq("zmq_setsockopt(\(option))")
        }
    }

    package func set(_ option: Int32, _ text: String) throws { try set(option, Array(text.utf8)) }

    /// Binds, trying again for a while: a port just given up by another process may need a moment.
    package func bind(_ endpoint: String, within milliseconds: Int = 2000) throws {
        let deadline = Deadline(milliseconds: milliseconds)
        while zmq_bind(raw, endpoint) != 0 {
            guard zmq_errno() == EADDRINUSE, !deadline.passed else { throw PeerError.zmq("bind \(endpoint)") }
            _ = poll(nil, 0, 5)
        }
    }

    package func connect(_ endpoint: String) throws {
        guard zmq_connect(raw, endpoint) == 0 else { throw PeerError.zmq("connect \(endpoint)") }
    }

    /// Sends all frames; false when there is no room (or no route, where the socket is told to say so) in time.
    /// A timeout of 0 does not wait at all.
    @discardableResult
    package func send(_ frames: [[UInt8]], timeout milliseconds: Int = 5000) throws -> Bool {
        try set(ZMQ_SNDTIMEO, Int32(milliseconds))
        for (index, frame) in frames.enumerated() {
            let more = index < frames.count - 1 ? ZMQ_SNDMORE : 0
            var sent: Int32
            repeat { sent = zmq_send(raw, frame, frame.count, more) } while sent < 0 && zmq_errno() == EINTR
            if sent < 0 {
                if zmq_errno() == EAGAIN && index == 0 { return false }
                throw PeerError.zmq("send")
            }
        }
        return true
    }

    /// One whole message, or nil when none came in time.
    package func receive(timeout milliseconds: Int = 5000) throws -> [[UInt8]]? {
        guard try isReadable(within: milliseconds) else { return nil }
        var frames: [[UInt8]] = []
        var message = zmq_msg_t()
        var more = true
        while more {
            zmq_msg_init(&message)
            defer { zmq_msg_close(&message) }
            guard zmq_msg_recv(&message, raw, ZMQ_DONTWAIT) >= 0 else {
                if zmq_errno() == EINTR { continue }
                if zmq_errno() == EAGAIN && frames.isEmpty { return nil }
                throw PeerError.zmq("receive")
            }
            let size = zmq_msg_size(&message)
            if size == 0 {
                frames.append([])
            } else {
                frames.append([UInt8](UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: size)))
            }
            more = zmq_msg_more(&message) != 0
        }
        return frames
    }

    package func isReadable(within milliseconds: Int) throws -> Bool {
        let deadline = Deadline(milliseconds: milliseconds)
        var item = zmq_pollitem_t(socket: raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        while true {
            let ready = zmq_poll(&item, 1, deadline.milliseconds)
            if ready > 0 { return true }
            if ready == 0 { return false }
            guard zmq_errno() == EINTR else { throw PeerError.zmq("poll") }
        }
    }
}

extension PeerAddress.Curve {
    package static func generate() -> PeerAddress.Curve {
        var publicKey = [CChar](repeating: 0, count: 41)
        var secretKey = [CChar](repeating: 0, count: 41)
        let made = zmq_curve_keypair(&publicKey, &secretKey)
        precondition(made == 0, "this libzmq has no CURVE")
        func text(_ key: [CChar]) -> String {
            String(decoding: key.prefix(40).map(UInt8.init), as: UTF8.self)
        }
        return PeerAddress.Curve(publicKey: text(publicKey), secretKey: text(secretKey))
    }
}
