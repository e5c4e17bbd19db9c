import CZMQ

struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    static func zmq(_ what: String) -> BenchError {
        BenchError("\(what): \(String(cString: zmq_strerror(zmq_errno())))")
    }
}
