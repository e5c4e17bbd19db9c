import CZMQ
import Glibc

// `bench-zmq-proxy FRONT_SHELL BACK_SHELL ... ` : libzmq's own proxy, a thread for each of the five channels.
// It forwards frames and looks at none: what a relay on libzmq costs before it verifies and signs anything.
//
// Arguments are five pairs of endpoints in the order shell, iopub, stdin, control, hb. Prints `relaying` once bound
// and ends at the end of its standard input.

let endpoints = Array(CommandLine.arguments.dropFirst())
guard endpoints.count == 10, let context = zmq_ctx_new() else {
    end(64, "wants FRONT BACK for each of shell iopub stdin control hb")
}
let started = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
sem_init(started, 0, 0)
var threads: [pthread_t] = []
for channel in 0..<5 {
    let hop = Hop(
        context: context, front: endpoints[2 * channel], back: endpoints[2 * channel + 1],
        isPublishing: channel == 1,
        started: started)
    threads.append(hop.start())
}
for _ in 0..<5 { sem_wait(started) }
print("relaying")
fflush(nil)
var byte: UInt8 = 0
while read(0, &byte, 1) > 0 {}
zmq_ctx_shutdown(context)
for thread in threads { pthread_join(thread, nil) }
zmq_ctx_term(context)
