import CZMQ
import Glibc

/// libzmq's context: one I/O thread and the sockets of one relay.
///
/// Each relay has its own, for two reasons. A flood in one kernel cannot delay another at the I/O thread.
/// And `zmq_ctx_term` returns when every socket is really closed, which is the only certain sign that
/// another process may bind the ports.
package struct Context: ~Copyable {
    package let handle: UnsafeMutableRawPointer

    package init() throws(RelayError) {
        // libzmq aborts the whole process when it cannot have a descriptor for one of its own threads.
        let left = Descriptors.left()
        guard left >= Tuning.descriptors else {
            throw RelayError(.descriptors, "\(max(left, 0)) left, a relay needs \(Tuning.descriptors)")
        }
        guard let handle = zmq_ctx_new() else { throw .zmq("zmq_ctx_new") }
        self.handle = handle
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
