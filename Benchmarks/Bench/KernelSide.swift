import CZMQ
import FakeJupyter
import Glibc

/// The kernel's end of a lane: an echo on shell, control, stdin and heartbeat, and a publisher.
///
/// Concurrency: the echo sockets belong to a thread of their own for the lane's whole life, which ends when the
/// context is shut down. The publisher's socket belongs to whoever calls `publish`, one thread at a time, with a
/// thread's start or end in between.
final class KernelSide: @unchecked Sendable {
    private let context: UnsafeMutableRawPointer
    private let publisher: RawSocket
    private let echoes: [RawSocket]
    private var thread: BenchThread?
    private let scratch = Scratch()

    init(_ address: PeerAddress) throws {
        guard let context = zmq_ctx_new() else { throw BenchError.zmq("zmq_ctx_new") }
        self.context = context
        publisher = try Wire.socket(context, ZMQ_XPUB)
        // ipykernel's own high-water mark, and NODROP, for a kernel must not lose what the hop is to be charged with.
        Wire.set(publisher, ZMQ_SNDHWM, 1000)
        Wire.set(publisher, ZMQ_XPUB_NODROP, 1)
        Wire.set(publisher, ZMQ_SNDTIMEO, 5000)
        try Wire.bind(publisher, address.endpoint(.iopub))
        echoes = try [PeerChannel.control, .shell, .stdin, .hb].map { channel in
            let socket = try Wire.socket(context, ZMQ_ROUTER)
            try Wire.bind(socket, address.endpoint(channel))
            return socket
        }
        let sockets = Sockets(echoes)
        thread = BenchThread { KernelSide.serve(sockets.all) }
    }

    /// Crosses to the echo thread once, at its start.
    private struct Sockets: @unchecked Sendable {
        let all: [RawSocket]
        init(_ all: [RawSocket]) { self.all = all }
    }

    private static func serve(_ sockets: [RawSocket]) {
        let scratch = Scratch()
        var items = sockets.map { zmq_pollitem_t(socket: $0, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }
        while true {
            let ready = zmq_poll(&items, Int32(items.count), -1)
            if ready < 0 && zmq_errno() == EINTR { continue }
            guard ready >= 0 else { break }
            for item in items where item.revents != 0 {
                while Wire.echo(item.socket, scratch.message) {}
            }
        }
        for socket in sockets { zmq_close(socket) }
    }

    /// Waits until somebody has subscribed: what is published before that goes nowhere.
    func awaitSubscription(milliseconds: Int) throws {
        guard Wire.isReadable(publisher, milliseconds: milliseconds),
            zmq_msg_recv(scratch.message, publisher, ZMQ_DONTWAIT) >= 0
        else { throw BenchError("nobody subscribed in \(milliseconds) ms") }
    }

    /// Publishes until `count` are sent or `run` is told to stop, waiting wherever there is no room.
    func publish(_ pool: MessagePool, count: Int, _ run: BurstRun, _ ends: Ends = .bare) {
        let scratch = Scratch()
        let signer = ends == .signing ? FrameSigner(key: Lane.kernelKey) : nil
        var sent = 0
        while sent < count && !run.mustStop {
            if let signer { precondition(pool.sign(sent, signer), "the pool holds a wrong signature") }
            guard pool.send(sent, on: publisher, scratch.message) else { break }
            sent += 1
        }
        run.finish(sent: sent)
    }

    func close() {
        zmq_ctx_shutdown(context)
        thread.take()?.join()
        zmq_close(publisher)
        zmq_ctx_term(context)
    }
}
