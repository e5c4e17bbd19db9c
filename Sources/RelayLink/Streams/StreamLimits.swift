/// The numbers that shape the streams of a link, each with what it trades. Both ends have them.
package enum StreamLimits {
    /// Bytes that may be on their way on one stream, in each direction, before the receiver has handed some of them on.
    /// So much either end holds for a stream that is stuck, and so much can be under way in one round trip through an
    /// engine (a fifth of a millisecond or more): half of it costs throughput, twice as much only memory.
    package static let window: Int64 = 256 * 1024

    /// No peer can ask for more to be kept for it.
    package static let largestWindow: Int64 = 16 << 20

    /// Bytes of a stream in one frame. What else goes over the link waits behind no more than one of them for each
    /// stream; smaller ones cost system calls.
    package static let piece = 32 * 1024

    /// Bytes of streams that a link may owe its reader. A ping, a signal or a kernel's end waits behind these; they are
    /// what keeps the line busy while its owner does something else.
    package static let backlog = 128 * 1024

    /// Bytes that streams move before whatever else there is has its turn.
    package static let turn = 512 * 1024

    /// Streams that the other end may have opened. Five for each kernel, and one while a way is probed.
    package static let most = 4096
}
