import CZMQ
import Glibc
import Synchronization

/// libzmq's context: one I/O thread and the sockets of one relay.
///
/// Each relay has its own, for two reasons. A flood in one kernel cannot delay another at the I/O thread.
/// And `zmq_ctx_term` returns when every socket is really closed, which is the only certain sign that
/// another process may bind the ports.
package struct Context: ~Copyable {
    package let handle: UnsafeMutableRawPointer

    private static let birth = Mutex<Void>(())

    /// Carries the new context out of the lock; nobody else knows it.
    private struct Handle: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }

    package init() throws(RelayError) {
        // libzmq aborts the whole process when it cannot have a descriptor for one of its own threads.
        // One at a time, so that two relays do not both count on the same.
        handle = try Self.birth.withLock { _ throws(RelayError) in
            let left = Descriptors.left()
            guard left >= Tuning.descriptors else {
                throw RelayError(.descriptors, "\(max(left, 0)) left, a relay needs \(Tuning.descriptors)")
            }
            guard let handle = zmq_ctx_new() else { throw .zmq("zmq_ctx_new") }
            // The context takes its own with its first socket.
            guard let first = zmq_socket(handle, ZMQ_PAIR) else {
                let error = RelayError.zmq("zmq_socket")
                zmq_ctx_term(handle)
                throw error
            }
            zmq_close(first)
            return Handle(pointer: handle)
        }.pointer
    }

    /// Waits until every socket is closed and what their linger allows is sent.
    deinit {
        while zmq_ctx_term(handle) != 0, zmq_errno() == EINTR {}
    }
}

extension RelayError {
    /// libzmq refused something that no other code describes.
    package static func zmq(_ call: String) -> RelayError {
        let number = zmq_errno()
        if number == EMFILE || number == ENFILE { return RelayError(.descriptors, call) }
        return RelayError(.system, call, cause: String(cString: zmq_strerror(number)))
    }
}
