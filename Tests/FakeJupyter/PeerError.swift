import CZMQ

/// What went wrong in a fake peer, in words a failing test can print.
package struct PeerError: Error, CustomStringConvertible {
    package let description: String
    package let code: Int32

    package init(_ description: String, code: Int32 = 0) {
        self.description = description
        self.code = code
    }

    /// The last failure of libzmq on this thread.
    static func zmq(_ operation: String) -> PeerError {
        let code = zmq_errno()
        return PeerError("\(operation): \(String(cString: zmq_strerror(code)))", code: code)
    }
}
