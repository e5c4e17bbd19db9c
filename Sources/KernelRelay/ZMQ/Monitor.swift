import CZMQ
import Glibc

/// What libzmq reports of one socket's connections.
package struct Monitor: ~Copyable {
    private let socket: Socket

    package enum Event {
        case handshakeDone
        /// A peer that did not speak ZMTP, or not with the right keys.
        case handshakeFailed
        /// An established connection ended.
        case disconnected
        /// A connection could not be made.
        case refused
    }

    private static let watched =
        ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED

    /// - Parameter name: unique within the context.
    package init(_ watched: borrowing Socket, name: String, in context: borrowing Context) throws(RelayError)
    {
        let endpoint = "inproc://\(name)"
        if zmq_socket_monitor(watched.handle, endpoint, Self.watched) != 0 {
            throw .zmq("zmq_socket_monitor")
        }
        let reader = try Socket(.pair, in: context)
        try reader.set(ZMQ_LINGER, 0)
        try reader.connect(endpoint)
        socket = reader
    }

    package func descriptor() throws(RelayError) -> Int32 { try socket.descriptor() }

    /// The next event, or nothing.
    package func next() -> Event? {
        while true {
            guard let number = receive() else { return nil }
            switch Int32(number) {
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .handshakeDone
            case ZMQ_EVENT_DISCONNECTED: return .disconnected
            case ZMQ_EVENT_CONNECT_RETRIED: return .refused
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL,
                ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                return .handshakeFailed
            default: continue  // ZMQ_EVENT_MONITOR_STOPPED comes unasked
            }
        }
    }

    /// The number in the first frame; the endpoint in the second is known anyway.
    private func receive() -> UInt16? {
        var frame = zmq_msg_t()
        zmq_msg_init(&frame)
        defer { zmq_msg_close(&frame) }
        guard zmq_msg_recv(&frame, socket.handle, ZMQ_DONTWAIT) >= MemoryLayout<UInt16>.size else {
            return nil
        }
        let number = zmq_msg_data(&frame)!.loadUnaligned(as: UInt16.self)
        while zmq_msg_more(&frame) != 0, zmq_msg_recv(&frame, socket.handle, ZMQ_DONTWAIT) >= 0 {}
        return number
    }
}
