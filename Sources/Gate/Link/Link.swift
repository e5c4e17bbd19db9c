import Glibc
import RelayLink

/// The gate's end of a link: frames in and out over two descriptors, which may be the same.
///
/// Concurrency: confined to the gate's thread.
package final class Link {
    package enum Event {
        case request(GateRequest)
        /// So much of what was owed has been written that more may be sent.
        case relieved
        case ended
    }

    private let loop: EventLoop
    private let input: Int32
    private let output: Int32
    private let release: () -> Void
    private var watches: [EventLoop.Watch] = []
    private var decoder = FrameDecoder()
    fileprivate var owed: [UInt8] = []
    private var owedStart = 0
    fileprivate var isFinishing = false
    private(set) var isClosed = false
    private var strangeStreams: Set<UInt32> = []
    /// Once the link has said hello, and knows of any.
    var streams: StreamTable?
    /// Set by whoever answers for the link.
    package var onEvent: (Event) -> Void = { _ in }

    /// - Parameter release: gives the descriptors up.
    package init(_ loop: EventLoop, input: Int32, output: Int32, release: @escaping () -> Void) {
        self.loop = loop
        self.input = input
        self.output = output
        self.release = release
    }

    func open() throws(GateError) {
        for descriptor in Set([input, output]) {
            let flags = fcntl(descriptor, F_GETFL)
            guard flags >= 0, isatty(descriptor) == 0 else {
                throw GateError(.stdio, "descriptor \(descriptor)")
            }
            _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
            do throws(GateError) {
                let watch = try loop.watch(descriptor, events(of: descriptor)) { [weak self] events in
                    self?.changed(descriptor, events)
                }
                watches.append(watch)
            } catch {
                throw GateError(.stdio, "descriptor \(descriptor)")
            }
        }
    }

    private func events(of descriptor: Int32) -> EventLoop.Events {
        if input == output { return [.readable, .writable] }
        return descriptor == input ? .readable : .writable
    }

    private func changed(_ descriptor: Int32, _ events: EventLoop.Events) {
        if descriptor == output {
            flush()
            streams?.flow()
        }
        if descriptor == input, !isClosed { read() }
        // The reader of a pipe has gone: there is no other sign of it while nothing is written.
        if descriptor == output, input != output, events.rawValue & 8 != 0 { close() }
    }

    // MARK: - In

    private func read() {
        for _ in 0..<16 {
            guard !isClosed, !isFinishing else { return }
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 64 * 1024) { buffer, count in
                let received = Glibc.read(input, buffer.baseAddress, buffer.count)
                if received < 0 { failure = errno }
                count = max(0, received)
            }
            if failure == EINTR { continue }
            if failure == EAGAIN { return }
            if bytes.isEmpty { return failure == 0 ? endedByCaller() : close() }
            decoder.feed(bytes)
            takeFrames()
        }
        loop.again { [weak self] in self?.read() }
    }

    /// A client of an engine whose caller was killed lives on until its exec ends, unless it has something to write and
    /// finds that nobody reads. So it is given something.
    private func endedByCaller() {
        send(.failed(GateError(.linkEnded)))
        close()
    }

    private func takeFrames() {
        do throws(FrameDecoder.TooLong) {
            while !isClosed, !isFinishing, let frame = try decoder.next() { take(frame) }
        } catch {
            send(.failed(GateError(.frame, "\(error.length) bytes")))
            finish()
        }
    }

    private func take(_ frame: Frame) {
        guard frame.stream == Frame.control else {
            if let streams, streams.receive(frame) { return }
            // Said once for each stream: a flood of data must not become a flood of complaints.
            if strangeStreams.count < 64, strangeStreams.insert(frame.stream).inserted {
                send(.failed(GateError(.stream, "\(frame.stream)")))
            }
            return
        }
        do throws(GateError) {
            onEvent(.request(try GateRequest(json: frame.payload)))
        } catch {
            send(.failed(error, request: Self.requestNumber(frame.payload)))
        }
    }

    /// Of a message that could not be understood otherwise, so that its sender need not wait.
    private static func requestNumber(_ payload: [UInt8]) -> Int64? {
        guard let number = (try? JSON(parsing: payload))?.fields?["request"]?.integer else { return nil }
        return (0...(1 << 53)).contains(number) ? number : nil
    }

    // MARK: - Out

    /// Bytes that the reader has not taken.
    package var backlog: Int { owed.count - owedStart }

    package func send(_ report: GateReport) {
        guard !isClosed, !isFinishing else { return }
        guard let bytes = Frame(payload: report.json).encoded else {
            return send(.failed(GateError(.frame, "the answer itself, \(report.type)")))
        }
        owed += bytes
        flush()
        if backlog > Tuning.linkLimit { close() }
    }

    package func flush() {
        while backlog > 0, !isClosed {
            let count = owed.withUnsafeBytes {
                write(output, $0.baseAddress! + owedStart, min(backlog, 256 * 1024))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            if count <= 0 { return close() }
            owedStart += count
        }
        if owedStart == owed.count {
            owed.removeAll(keepingCapacity: owed.capacity < 1 << 18)
            owedStart = 0
            if isFinishing { return close() }
        } else if owedStart > 1 << 18 {
            owed.removeFirst(owedStart)
            owedStart = 0
        }
        // Not only when nothing is owed: as long as streams have something to carry there always is.
        if backlog <= Tuning.linkRelief { onEvent(.relieved) }
    }

    /// Closes once everything has been written.
    func finish() {
        guard !isFinishing, !isClosed else { return }
        isFinishing = true
        loop.after(.seconds(2)) { [weak self] in self?.close() }
        flush()
    }

    package func close() {
        guard !isClosed else { return }
        isClosed = true
        for watch in watches { watch.cancel() }
        release()
        streams?.detach(from: self)
        onEvent(.ended)
        onEvent = { _ in }
    }
}

extension Link: StreamCarrier {
    package var hasRoom: Bool { backlog < StreamLimits.backlog && !isClosed && !isFinishing }

    package func carry(_ stream: UInt32, _ kind: StreamFrame.Kind, _ rest: UnsafeRawBufferPointer) {
        guard !isClosed, !isFinishing else { return }
        Frame.append(stream, kind, rest, to: &owed)
    }
}
