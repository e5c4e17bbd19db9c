import CLinux
import Glibc

/// One direction of a joined connection: bytes from one socket to the other, as they are.
///
/// Nothing is read that cannot be written: at most one piece is held, and while it is, the source is left
/// alone, so that its sender feels the receiver's pace.
///
/// Small pieces are read and written; when a whole buffer came at once from a TCP socket, what follows is
/// spliced, which spares large messages both copies. Splicing small pieces would fill the pipe's slots with a
/// few bytes each; and for what comes from a Unix socket in bulk, copying took 0.2 s of processor time for a
/// gigabyte and splicing 0.35 s (from TCP: 0.35 s and 0.3 s).
///
/// Concurrency: confined to the gate's thread.
final class Flow {
    private let source: Int32
    private let sink: Int32
    private let mayEverSplice: Bool
    /// Set by events; cleared by a call that would have waited.
    var mayRead = true
    var mayWrite = true

    /// Read, not yet written.
    private var pending: [UInt8]
    private var pendingStart = 0
    private var pipe: Pipe?
    private var isBulk = false
    private var sourceEnded = false
    private var sinkFailed = false
    /// All that there was has been handed on, or can never be.
    private(set) var isOver = false
    private(set) var bytes: Int64 = 0

    init(from source: Int32, to sink: Int32, splicing: Bool, first: [UInt8]) {
        mayEverSplice = splicing
        self.source = source
        self.sink = sink
        pending = first
    }

    /// Moves what can be moved. True when the turn ended before the bytes did.
    func turn(_ scratch: Scratch) -> Bool {
        var allowance = Tuning.turnBytes
        while allowance > 0 {
            let moved: Int
            if isOver {
                return false
            } else if sinkFailed {
                moved = discard(scratch)
            } else if pendingStart < pending.count {
                moved = flushPending()
            } else if let pipe {
                moved = flush(pipe, scratch)
            } else if sourceEnded {
                finish()
                return false
            } else {
                moved = isBulk ? splice(scratch) : copy(scratch)
            }
            if moved == 0 { return false }
            allowance -= moved
        }
        return true
    }

    /// The number of bytes moved, where the end of a source or the failure of a sink is progress, too; 0
    /// when an event must come first.
    private func copy(_ scratch: Scratch) -> Int {
        let count = read(scratch, scratch.buffer.count)
        guard count > 0 else { return sourceEnded ? 1 : 0 }
        isBulk = mayEverSplice && count == scratch.buffer.count
        let written = mayWrite ? write(UnsafeRawBufferPointer(scratch.buffer)[..<count]) : 0
        if written < count, !sinkFailed {
            pending = Array(scratch.buffer[written..<count])
            pendingStart = 0
        }
        return count
    }

    private func read(_ scratch: Scratch, _ limit: Int) -> Int {
        guard mayRead else { return 0 }
        while true {
            let count = recv(source, scratch.buffer.baseAddress, limit, 0)
            if count > 0 { return count }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                mayRead = false
            } else {
                // A reset ends a stream as surely as a close; what came before it has been read.
                sourceEnded = true
            }
            return 0
        }
    }

    private func write(_ part: Slice<UnsafeRawBufferPointer>) -> Int {
        let part = UnsafeRawBufferPointer(rebasing: part)
        while true {
            let count = send(sink, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                bytes += Int64(count)
                return count
            }
            if errno == EINTR { continue }
            if errno == EAGAIN {
                mayWrite = false
            } else {
                fail()
            }
            return 0
        }
    }

    private func flushPending() -> Int {
        guard mayWrite else { return 0 }
        let start = pendingStart
        let written = pending.withUnsafeBytes { write($0[start...]) }
        pendingStart += written
        if pendingStart >= pending.count {
            pending = []
            pendingStart = 0
        }
        return sinkFailed ? 1 : written
    }

    private func splice(_ scratch: Scratch) -> Int {
        guard mayRead else { return 0 }
        guard let pipe = scratch.takePipe() else {
            isBulk = false
            return copy(scratch)
        }
        let flags = UInt32(KR_SPLICE_MOVE | KR_SPLICE_NONBLOCK)
        let count = CLinux.splice(source, nil, pipe.writeEnd, nil, Int(Tuning.pipeSize), flags)
        if count <= 0 {
            let failure = count == 0 ? 0 : errno
            scratch.giveBack(pipe)
            switch failure {
            case EAGAIN: mayRead = false
            case EINTR: return 1
            // Not every kind of socket can be spliced everywhere; reading tells what is the matter.
            case EINVAL:
                isBulk = false
                return 1
            default: sourceEnded = true
            }
            isBulk = false
            return sourceEnded ? 1 : 0
        }
        isBulk = count >= Tuning.readSize / 2
        pipe.held = count
        self.pipe = pipe
        return max(1, flush(pipe, scratch))
    }

    private func flush(_ pipe: Pipe, _ scratch: Scratch) -> Int {
        guard mayWrite else { return 0 }
        let flags = UInt32(KR_SPLICE_MOVE | KR_SPLICE_NONBLOCK)
        let count = CLinux.splice(pipe.readEnd, nil, sink, nil, pipe.held, flags)
        if count > 0 {
            pipe.held -= count
            bytes += Int64(count)
        } else if count < 0, errno == EAGAIN {
            mayWrite = false
            return 0
        } else if count < 0, errno == EINTR {
            return 1
        } else {
            fail()
            return 1
        }
        if pipe.held == 0 {
            scratch.giveBack(pipe)
            self.pipe = nil
        }
        return count
    }

    /// Nobody takes the bytes any more. They are still read: closing a socket with unread bytes resets it,
    /// and a reset destroys what the other direction has under way.
    private func discard(_ scratch: Scratch) -> Int {
        let count = read(scratch, scratch.buffer.count)
        if sourceEnded { isOver = true }
        return count
    }

    private func fail() {
        sinkFailed = true
        pending = []
        pendingStart = 0
        pipe = nil
    }

    private func finish() {
        isOver = true
        shutdown(sink, Int32(SHUT_WR))
    }
}
