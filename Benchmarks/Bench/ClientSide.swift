import CZMQ
import FakeJupyter
import Glibc

/// The client's end of a lane.
///
/// Concurrency: the main thread owns all sockets, but while `sink` runs on another thread the subscriber is that
/// thread's.
final class ClientSide: @unchecked Sendable {
    private let context: UnsafeMutableRawPointer
    private let shell: RawSocket
    private let control: RawSocket
    private let stdin: RawSocket
    private let subscriber: RawSocket
    private let heartbeat: RawSocket
    private let scratch = Scratch()
    private let key: String

    init(_ address: PeerAddress) throws {
        guard let context = zmq_ctx_new() else { throw BenchError.zmq("zmq_ctx_new") }
        self.context = context
        key = address.key
        func open(_ kind: Int32, _ channel: PeerChannel) throws -> RawSocket {
            let socket = try Wire.socket(context, kind)
            if kind == ZMQ_SUB { zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) }
            if kind == ZMQ_DEALER { zmq_setsockopt(socket, ZMQ_ROUTING_ID, "bench-client", 12) }
            Wire.set(socket, ZMQ_RCVTIMEO, 10_000)
            Wire.set(socket, ZMQ_SNDTIMEO, 10_000)
            try Wire.connect(socket, address.endpoint(channel))
            return socket
        }
        shell = try open(ZMQ_DEALER, .shell)
        control = try open(ZMQ_DEALER, .control)
        stdin = try open(ZMQ_DEALER, .stdin)
        subscriber = try open(ZMQ_SUB, .iopub)
        heartbeat = try open(ZMQ_REQ, .hb)
    }

    func close() {
        for socket in [shell, control, stdin, subscriber, heartbeat] { zmq_close(socket) }
        zmq_ctx_term(context)
    }

    /// Seconds from sending a request to having all of its echo.
    func roundTrip(_ pool: MessagePool, _ index: Int, control: Bool = false) throws -> Double {
        let socket = control ? self.control : shell
        let start = Wire.now()
        guard pool.send(index, on: socket, scratch.message) else { throw BenchError.zmq("send a request") }
        var frame = 0
        var number = -1
        repeat {
            guard zmq_msg_recv(scratch.message, socket, 0) >= 0 else {
                throw BenchError.zmq("await the echo")
            }
            if frame == 5 { number = MessagePool.number(in: scratch.message) }
            frame += 1
        } while zmq_msg_more(scratch.message) != 0
        let end = Wire.now()
        guard frame == pool.framesEach, number == index % pool.count else {
            throw BenchError(
                "an echo came back changed: \(frame) frames, number \(number) for \(index % pool.count)")
        }
        return end - start
    }

    func ping() throws -> Double {
        let start = Wire.now()
        guard zmq_send(heartbeat, "ping", 4, 0) == 4, zmq_msg_recv(scratch.message, heartbeat, 0) == 4 else {
            throw BenchError.zmq("heartbeat")
        }
        return Wire.now() - start
    }

    /// Takes in a burst, counting and checking each number; ends when all that was sent is there, or after 3 s of
    /// silence once the publisher is done. The time runs from `start` to the last message.
    func sink(_ pool: MessagePool, count: Int, _ run: BurstRun, start: Double, _ ends: Ends = .bare)
        -> BurstOutcome
    {
        let scratch = Scratch()
        let message = scratch.message
        let signer = ends == .signing ? FrameSigner(key: key) : nil
        let signature = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
        signature.initialize(repeating: 0, count: 64)
        defer { signature.deallocate() }
        // Short, so that the end of an open-ended flood is noticed soon.
        Wire.set(subscriber, ZMQ_RCVTIMEO, 50)
        var outcome = BurstOutcome()
        var expected = 0
        var last = start
        while outcome.received < count && (run.sent < 0 || outcome.received < run.sent) {
            var frame = 0
            var number = -1
            repeat {
                guard zmq_msg_recv(message, subscriber, 0) >= 0 else { break }
                if frame == 6 { number = MessagePool.number(in: message) }
                if let signer {
                    if frame == 2 {
                        signer.begin()
                        if zmq_msg_size(message) == 64 { memcpy(signature, zmq_msg_data(message), 64) }
                    } else if (3...6).contains(frame) {
                        signer.add(message)
                    }
                }
                frame += 1
            } while zmq_msg_more(message) != 0
            if frame > 0, let signer, !signer.matches(signature) { outcome.forged += 1 }
            if frame == 0 {
                if run.sent >= 0 && Wire.now() - max(last, run.finished) > 3 { break }
                continue
            }
            outcome.received += 1
            if number != expected { outcome.outOfOrder += 1 }
            expected = number + 1 == pool.count ? 0 : number + 1
            last = Wire.now()
        }
        outcome.sent = run.sent < 0 ? count : run.sent
        outcome.seconds = max(1e-9, last - start)
        return outcome
    }

    /// The frames of one published message, for a check of its signature; nil when none comes.
    func nextPublished(milliseconds: Int) -> [[UInt8]]? {
        guard Wire.isReadable(subscriber, milliseconds: milliseconds) else { return nil }
        var frames: [[UInt8]] = []
        repeat {
            guard zmq_msg_recv(scratch.message, subscriber, 0) >= 0 else { return nil }
            let data = UnsafeRawBufferPointer(
                start: zmq_msg_data(scratch.message), count: zmq_msg_size(scratch.message))
            frames.append([UInt8](data))
        } while zmq_msg_more(scratch.message) != 0
        return frames
    }
}
