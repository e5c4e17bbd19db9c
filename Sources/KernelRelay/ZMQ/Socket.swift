import CZMQ
import Glibc

/// A socket seen by those who use it and do not own it. Valid while its ``Socket`` lives.
package typealias SocketHandle = UnsafeMutableRawPointer

/// One libzmq socket, born and closed on one thread.
package struct Socket: ~Copyable {
    package let handle: SocketHandle

    package enum Kind {
        case router, dealer, xpub, xsub, pair

        fileprivate var number: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .xpub: ZMQ_XPUB
            case .xsub: ZMQ_XSUB
            case .pair: ZMQ_PAIR
            }
        }
    }

    package init(_ kind: Kind, in context: borrowing Context) throws(RelayError) {
        guard let handle = zmq_socket(context.handle, kind.number) else { throw .zmq("zmq_socket") }
        self.handle = handle
    }

    package func set(_ option: Int32, _ value: Int32) throws(RelayError) {
        var value = value
        if zmq_setsockopt(handle, option, &value, MemoryLayout<Int32>.size) != 0 {
            throw .zmq("option \(option)")
        }
    }

    package func set(_ option: Int32, wide value: Int64) throws(RelayError) {
        var value = value
        if zmq_setsockopt(handle, option, &value, MemoryLayout<Int64>.size) != 0 {
            throw .zmq("option \(option)")
        }
    }

    package func set(_ option: Int32, _ value: String) throws(RelayError) {
        if zmq_setsockopt(handle, option, value, value.utf8.count) != 0 { throw .zmq("option \(option)") }
    }

    /// Rung when the socket's state may have changed; then it must be asked.
    package func descriptor() throws(RelayError) -> Int32 {
        var value: Int32 = -1
        var size = MemoryLayout<Int32>.size
        if zmq_getsockopt(handle, ZMQ_FD, &value, &size) != 0 { throw .zmq("ZMQ_FD") }
        return value
    }

    package func bind(_ endpoint: String) throws(RelayError) {
        if zmq_bind(handle, endpoint) == 0 { return }
        let number = zmq_errno()
        if number == EMFILE || number == ENFILE { throw .zmq("zmq_bind") }
        throw RelayError(
            number == EADDRINUSE ? .portInUse : .bindFailed, endpoint,
            cause: String(cString: zmq_strerror(number)))
    }

    package func connect(_ endpoint: String) throws(RelayError) {
        if zmq_connect(handle, endpoint) != 0 { throw .zmq("zmq_connect \(endpoint)") }
    }

    deinit { zmq_close(handle) }
}

extension SocketHandle {
    /// Takes in what libzmq's other thread has to say, such as that a full pipe has room again. A send
    /// alone does so only once in a while.
    @inline(__always)
    package func refresh() {
        var value: Int32 = 0
        var size = MemoryLayout<Int32>.size
        _ = zmq_getsockopt(self, ZMQ_EVENTS, &value, &size)
    }
}
