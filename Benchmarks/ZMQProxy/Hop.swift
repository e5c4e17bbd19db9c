import CZMQ
import Glibc

/// What a thread is given. Handed over whole at the thread's start, and never touched by the giver again.
struct Hop: @unchecked Sendable {
    let context: UnsafeMutableRawPointer
    let front: String
    let back: String
    let isPublishing: Bool
    let started: UnsafeMutablePointer<sem_t>
}

private final class HopBox: Sendable {
    let hop: Hop
    init(_ hop: Hop) { self.hop = hop }
}

extension Hop {
    func start() -> pthread_t {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                if let argument { serve(Unmanaged<HopBox>.fromOpaque(argument).takeRetainedValue().hop) }
                return nil
            }, Unmanaged.passRetained(HopBox(self)).toOpaque())
        return thread
    }
}

func end(_ status: Int32, _ words: String) -> Never {
    let bytes = Array("bench-zmq-proxy: \(words)\n".utf8)
    _ = write(2, bytes, bytes.count)
    exit(status)
}

private func fail(_ what: String) -> Never {
    end(1, "\(what): \(String(cString: zmq_strerror(zmq_errno())))")
}

private func serve(_ hop: Hop) {
    guard let front = zmq_socket(hop.context, hop.isPublishing ? ZMQ_XPUB : ZMQ_ROUTER),
        let back = zmq_socket(hop.context, hop.isPublishing ? ZMQ_XSUB : ZMQ_DEALER)
    else { fail("zmq_socket") }
    var zero: Int32 = 0
    var one: Int32 = 1
    zmq_setsockopt(front, ZMQ_LINGER, &zero, MemoryLayout<Int32>.size)
    zmq_setsockopt(back, ZMQ_LINGER, &zero, MemoryLayout<Int32>.size)
    // The default high-water marks, and NODROP: with them the proxy waits for a slow reader and loses nothing, as
    // the relay must. Without NODROP it would be faster by throwing messages away; with a mark of 0 by keeping
    // all of a flood in memory.
    if hop.isPublishing { zmq_setsockopt(front, ZMQ_XPUB_NODROP, &one, MemoryLayout<Int32>.size) }
    guard zmq_bind(front, hop.front) == 0 else { fail("bind \(hop.front)") }
    guard zmq_connect(back, hop.back) == 0 else { fail("connect \(hop.back)") }
    sem_post(hop.started)
    zmq_proxy(front, back, nil)
    zmq_close(front)
    zmq_close(back)
}
