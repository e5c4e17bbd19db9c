import CZMQ
import Glibc
import Synchronization

/// A socket together with what libzmq reports of its connections.
///
/// The two belong together: libzmq's I/O thread waits for ever when it has something to report and the reader
/// is gone, so the reports end before their reader does.
package struct MonitoredSocket: ~Copyable {
    package let socket: Socket
    private let reader: Socket

    package enum Event {
        /// A peer connected to the bound socket; its descriptor.
        case accepted(Int32)
        case handshakeDone
        case handshakeFailed(Failure)
        /// A connection ended; its descriptor.
        case disconnected(Int32)
        /// A connection could not be made.
        case refused
    }

    package enum Failure: Equatable {
        /// The peer refused the credentials, or what they ask for, with a status as in HTTP.
        case status(Int32)
        /// The peer said something that libzmq did not understand. With PLAIN that is a refusal: libzmq (4.3.4
        /// at least) writes the name of the ERROR command `"\x05ERROR"`, which C reads as `^RROR`, and so knows no peer's
        /// but its own.
        case unexpected
        /// The peer did not speak ZMTP, or not with the right keys, or not at all.
        case other
    }

    private static let watched =
        ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
        | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED
        | ZMQ_EVENT_CONNECT_RETRIED

    /// libzmq gives a name free when it has reaped the socket, some time after it was closed. So none is used twice.
    private static let names = Atomic<UInt64>(0)

    package init(_ kind: Socket.Kind, in context: borrowing Context) throws(RelayError) {
        let number = Self.names.add(1, ordering: .relaxed).newValue
        let endpoint = "inproc://monitor-\(number)"
        let reader = try Socket(.pair, in: context)
        try reader.set(ZMQ_LINGER, 0)
        // Unlimited: a full pipe would make the I/O thread wait, and hold the lock that ending needs.
        try reader.set(ZMQ_RCVHWM, 0)
        let socket = try Socket(kind, in: context)
        if zmq_socket_monitor(socket.handle, endpoint, Self.watched) != 0 { throw .zmq("zmq_socket_monitor") }
        try reader.connect(endpoint)
        self.socket = socket
        self.reader = reader
    }

    deinit { zmq_socket_monitor(socket.handle, nil, 0) }

    /// Rung when there may be an event.
    package func monitorDescriptor() throws(RelayError) -> Int32 { try reader.descriptor() }

    /// The next event, or nothing.
    package func nextEvent() -> Event? {
        while true {
            guard let (number, value) = receive() else { return nil }
            switch Int32(number) {
            case ZMQ_EVENT_ACCEPTED: return .accepted(value)
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .handshakeDone
            case ZMQ_EVENT_DISCONNECTED: return .disconnected(value)
            case ZMQ_EVENT_CONNECT_RETRIED: return .refused
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return .handshakeFailed(.status(value))
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL where value == ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND:
                return .handshakeFailed(.unexpected)
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                return .handshakeFailed(.other)
            default: continue  // ZMQ_EVENT_MONITOR_STOPPED comes unasked
            }
        }
    }

    /// Number and value from the first frame; the endpoint in the second is known anyway.
    private func receive() -> (UInt16, Int32)? {
        var frame = zmq_msg_t()
        zmq_msg_init(&frame)
        defer { zmq_msg_close(&frame) }
        guard zmq_msg_recv(&frame, reader.handle, ZMQ_DONTWAIT) >= 6, let bytes = zmq_msg_data(&frame) else {
            return nil
        }
        let event = (
            bytes.loadUnaligned(as: UInt16.self), bytes.loadUnaligned(fromByteOffset: 2, as: Int32.self)
        )
        while zmq_msg_more(&frame) != 0, zmq_msg_recv(&frame, reader.handle, ZMQ_DONTWAIT) >= 0 {}
        return event
    }
}
