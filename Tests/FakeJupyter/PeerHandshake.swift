import CZMQ

/// Tells when a socket has shaken hands with its peer, so that nobody needs to sleep until it probably has.
///
/// Concurrency: made, asked and let go of on the socket's own thread.
final class PeerHandshake {
    private let events: PeerSocket
    private let watched: PeerSocket
    private var done = false

    /// To be made before the socket connects, or the event may have been missed.
    init(_ context: PeerContext, of socket: PeerSocket) throws {
        let endpoint = "inproc://handshake-\(UInt(bitPattern: socket.raw))"
        guard zmq_socket_monitor(socket.raw, endpoint, ZMQ_EVENT_HANDSHAKE_SUCCEEDED) == 0 else {
            throw PeerError.zmq("zmq_socket_monitor")
        }
        watched = socket
        events = try PeerSocket(context, .pair)
        try events.connect(endpoint)
    }

    /// Before the watched socket is closed. libzmq reports in its I/O thread, and would wait there for ever for a
    /// reader that has gone.
    func stop() { zmq_socket_monitor(watched.raw, nil, 0) }

    func isDone(within milliseconds: Int) throws -> Bool {
        if !done { done = try events.receive(timeout: milliseconds) != nil }
        return done
    }
}
