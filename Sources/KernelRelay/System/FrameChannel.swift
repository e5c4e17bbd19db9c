import Dispatch
import Glibc
import Host
import RelayLink

/// One end of a link over a socket: frames in, one at a time and only when asked for; frames out, in order.
///
/// Concurrency: everything happens on the channel's own serial queue. Nothing is read while nobody waits for a
/// frame, so a sender that is faster than its reader is held up by the socket, and memory stays bounded. What
/// is sent is kept until the socket takes it; `pending` tells how much that is.
///
/// Frames on streams other than 0 go to the channel's streams, where it has any, without anybody being asked.
package final class FrameChannel: @unchecked Sendable {
    private let descriptor: Int32
    private let queue: DispatchQueue
    private let reading: Readiness
    private let writing: Readiness

    // On the queue alone:
    /// Set on the queue before anything is read that is for them.
    package var streams: StreamTable?
    private var decoder = FrameDecoder()
    private var waiter: CheckedContinuation<Frame?, Never>?
    private var isEnded = false
    private var isClosed = false
    private var isWriting = false
    private var outbound: [UInt8] = []
    private var written = 0
    private var whenFlushed: [CheckedContinuation<Void, Never>] = []

    /// Takes over the descriptor of a connected socket.
    ///
    /// - Parameter queue: that of the streams which the channel will have; one of its own where there will be none.
    package init(_ descriptor: Int32, queue: DispatchQueue? = nil) {
        self.descriptor = descriptor
        let queue = queue ?? DispatchQueue(label: "kr-link")
        self.queue = queue
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        // The number must not be used again before both have let go of it.
        let left = WatchesLeft(descriptor)
        reading = Readiness(.reading, descriptor, on: queue) { left.oneLess() }
        writing = Readiness(.writing, descriptor, on: queue) { left.oneLess() }
        reading.onRing { [weak self] in self?.readMore() }
        writing.onRing { [weak self] in
            self?.writeMore()
            self?.streams?.flow()
        }
    }

    /// The next frame; nothing when the other side has ended the link, or broken its rules. One caller at a time.
    package func next() async -> Frame? {
        await withCheckedContinuation { continuation in
            queue.async { self.deliver(to: continuation) }
        }
    }

    /// Reads until there is a frame, and only then waits.
    private func deliver(to continuation: CheckedContinuation<Frame?, Never>) {
        // What else there is on the queue has its turn between the pieces of a long stream.
        for _ in 0..<Self.readsInATurn {
            do {
                while let frame = try decoder.next() {
                    guard frame.stream != Frame.control, let streams else {
                        return continuation.resume(returning: frame)
                    }
                    // What is on a stream that never was is dropped.
                    _ = streams.receive(frame)
                }
            } catch {
                endReading()
            }
            if isEnded { return continuation.resume(returning: nil) }
            guard readOnce() else {
                waiter = continuation
                return reading.resume()
            }
        }
        queue.async { self.deliver(to: continuation) }
    }

    private static let readsInATurn = 16

    /// Whether something came, if only the end.
    private func readOnce() -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { chunk in
            var count = 0
            repeat {
                count = recv(descriptor, chunk.baseAddress, chunk.count, 0)
            } while count < 0 && errno == EINTR
            if count < 0, errno == EAGAIN { return false }
            if count > 0 { decoder.feed(chunk[..<count]) } else { endReading() }
            return true
        }
    }

    private func readMore() {
        guard let continuation = waiter else { return }
        reading.suspend()
        waiter = nil
        deliver(to: continuation)
    }

    private func endReading() {
        isEnded = true
        streams?.detach(from: self)
    }

    /// Sends a control message after all that was sent before. False when it is longer than a frame may be.
    @discardableResult
    package func send(_ message: some ControlMessage) -> Bool {
        guard let frame = Frame(payload: message.json).encoded else { return false }
        queue.async {
            if self.isClosed { return }
            self.outbound += frame
            self.pendingBytes.set(self.outbound.count - self.written)
            if !self.isWriting { self.writeMore() }
        }
        return true
    }

    private static let worthACopy = 256 * 1024

    /// Bytes that the other side has not yet taken.
    package var pending: Int { pendingBytes.value }
    private let pendingBytes = Gauge()

    private func writeMore() {
        while written < outbound.count {
            let count = outbound.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress! + written, outbound.count - written, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                if !isWriting { writing.resume() }
                isWriting = true
                // A reader that is slow for good never lets this become empty.
                if written > Self.worthACopy {
                    outbound.removeFirst(written)
                    written = 0
                }
                pendingBytes.set(outbound.count - written)
                return
            }
            if count < 0 {
                // The other side is gone: what was for it goes nowhere, and reading will say so.
                written = outbound.count
                break
            }
            written += count
        }
        outbound.removeAll(keepingCapacity: outbound.count < 1 << 16)
        written = 0
        pendingBytes.set(0)
        if isWriting { writing.suspend() }
        isWriting = false
        giveUpFlushing()
    }

    /// Waits until all that was sent is with the system, or cannot be, or the time is over.
    package func flush(within limit: Duration) async {
        await withCheckedContinuation { continuation in
            queue.async {
                if self.outbound.isEmpty || self.isClosed { return continuation.resume() }
                self.whenFlushed.append(continuation)
            }
            queue.asyncAfter(deadline: .now() + limit.seconds) { [weak self] in self?.giveUpFlushing() }
        }
    }

    private func giveUpFlushing() {
        for continuation in whenFlushed { continuation.resume() }
        whenFlushed = []
    }

    /// Ends the link: the other side reads an end, and so does a caller of `next`.
    package func close() { queue.async { self.closeNow() } }

    private func closeNow() {
        guard !isClosed else { return }
        isClosed = true
        endReading()
        shutdown(descriptor, Int32(SHUT_RDWR))
        reading.cancel()
        writing.cancel()
        waiter?.resume(returning: nil)
        waiter = nil
        giveUpFlushing()
    }
}

/// On the queue alone, which is held to: streams that were given another would be a race that seldom shows.
extension FrameChannel: StreamCarrier {
    package var hasRoom: Bool {
        dispatchPrecondition(condition: .onQueue(queue))
        return outbound.count - written < StreamLimits.backlog && !isEnded
    }

    package func carry(_ stream: UInt32, _ kind: StreamFrame.Kind, _ rest: UnsafeRawBufferPointer) {
        dispatchPrecondition(condition: .onQueue(queue))
        if !isClosed { Frame.append(stream, kind, rest, to: &outbound) }
    }

    package func flush() {
        dispatchPrecondition(condition: .onQueue(queue))
        if isClosed { return }
        pendingBytes.set(outbound.count - written)
        if !isWriting, written < outbound.count { writeMore() }
    }
}
