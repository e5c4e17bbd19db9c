import CZMQ
import Glibc

/// The bench's own thin layer over libzmq: raw sockets and messages, since an array for each frame would make the
/// generator slower than the hops that it measures.
typealias RawSocket = UnsafeMutableRawPointer

enum Wire {
    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    static func socket(_ context: UnsafeMutableRawPointer, _ kind: Int32) throws -> RawSocket {
        guard let socket = zmq_socket(context, kind) else { throw BenchError.zmq("zmq_socket") }
        set(socket, ZMQ_LINGER, 0)
        return socket
    }

    static func set(_ socket: RawSocket, _ option: Int32, _ value: Int32) {
        var value = value
        let done = zmq_setsockopt(socket, option, &value, MemoryLayout<Int32>.size)
        precondition(done == 0, "zmq_setsockopt \(option)")
    }

    static func bind(_ socket: RawSocket, _ endpoint: String) throws {
        guard zmq_bind(socket, endpoint) == 0 else { throw BenchError.zmq("bind \(endpoint)") }
    }

    static func connect(_ socket: RawSocket, _ endpoint: String) throws {
        guard zmq_connect(socket, endpoint) == 0 else { throw BenchError.zmq("connect \(endpoint)") }
    }

    static func isReadable(_ socket: RawSocket, milliseconds: Int) -> Bool {
        var item = zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        return zmq_poll(&item, 1, milliseconds) > 0
    }

    /// Sends back what is waiting, frame by frame, without a copy; false when nothing was waiting.
    static func echo(_ socket: RawSocket, _ scratch: UnsafeMutablePointer<zmq_msg_t>) -> Bool {
        var flags = ZMQ_DONTWAIT
        while true {
            zmq_msg_init(scratch)
            guard zmq_msg_recv(scratch, socket, flags) >= 0 else { return false }
            flags = 0
            let more = zmq_msg_more(scratch)
            guard zmq_msg_send(scratch, socket, more != 0 ? ZMQ_SNDMORE : 0) >= 0 else { return false }
            if more == 0 { return true }
        }
    }
}

/// One message frame's worth of storage at a fixed address.
final class Scratch {
    let message = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
    init() { zmq_msg_init(message) }
    deinit {
        zmq_msg_close(message)
        message.deallocate()
    }
}
