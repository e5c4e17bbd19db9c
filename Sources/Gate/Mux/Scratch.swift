import CLinux
import Glibc

/// What every direction needs only while it has its turn: a buffer, and a pipe to splice through.
///
/// Concurrency: confined to the gate's thread; lent, not shared.
final class Scratch {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Tuning.readSize, alignment: 4096)
    private var spare: Pipe?

    /// An empty pipe, or nothing when the system has none to give; then bytes are copied.
    func takePipe() -> Pipe? { spare.take() ?? Pipe() }

    func giveBack(_ pipe: Pipe) { spare = pipe }

    deinit { buffer.deallocate() }
}

/// A pipe with two ends of our own. One that still holds bytes stays with the direction whose bytes they are.
final class Pipe {
    let readEnd: Int32
    let writeEnd: Int32
    var held = 0

    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { return nil }
        readEnd = ends[0]
        writeEnd = ends[1]
        // Refused when the user has many of them; then it is smaller, and works.
        _ = fcntl(writeEnd, Int32(KR_F_SETPIPE_SZ), Tuning.pipeSize)
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }
}
