import Dispatch
import Glibc

/// How long a reader may take to ask, how long relayd to know the answer, how long a reader may take nothing of what is for
/// it, and how long it may take to hang up.
package struct WebPatience: Sendable {
    package var asks = Tuning.pageAsks
    package var answers = Tuning.pageAnswers
    package var takes = Tuning.pageTakes
    package var parts = Tuning.pageParts

    package init() {}
}

/// One reader of the page: a request in, an answer out, and the end; or a stream of events.
///
/// Concurrency: on the server's queue alone. Nothing waits: what the socket does not take is kept, and a reader that
/// takes nothing for a while is dropped with it.
final class WebConnection: @unchecked Sendable {
    private enum Stage { case reading, answering, sending, streaming, parting, closed }

    private let queue: DispatchQueue
    private let limits: WebPatience
    private let reading: Readiness
    private let writing: Readiness
    private let socket: Int32

    private var stage = Stage.reading
    private var reader = HTTPRequestReader()
    private var outbound: [UInt8] = []
    private var written = 0
    /// The newest of what came while the last piece was still waiting.
    private var missed: [UInt8]?
    private var isWriting = false
    private var isDeaf = false
    private var unasked = 0
    private var patience = 0

    /// What is to be answered; the answer comes by `answer` or `stream`.
    var onRequest: (HTTPRequest) -> Void = { _ in }
    /// Once, when nothing is left of it.
    var onClose: () -> Void = {}

    /// Takes over the descriptor of a connected socket, which does not block.
    init(_ descriptor: Int32, on queue: DispatchQueue, limits: WebPatience) {
        (self.queue, self.limits) = (queue, limits)
        socket = descriptor
        let left = WatchesLeft(descriptor)
        reading = Readiness(.reading, descriptor, on: queue) { left.oneLess() }
        writing = Readiness(.writing, descriptor, on: queue) { left.oneLess() }
        reading.onRing { [weak self] in self?.read() }
        writing.onRing { [weak self] in self?.write() }
    }

    func start() {
        reading.resume()
        allow(limits.asks)
    }

    /// It is closed when the time is over, unless it gets another before.
    private func allow(_ time: Duration?) {
        patience += 1
        guard let time else { return }
        let mine = patience
        queue.asyncAfter(deadline: .now() + time.seconds) { [weak self] in
            guard let self, self.patience == mine else { return }
            if self.stage == .reading { self.refuse(.tooSlow) } else { self.close() }
        }
    }

    // MARK: - What comes

    private func read() {
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { chunk in
            while stage != .closed, !isDeaf {
                let count = recv(socket, chunk.baseAddress, chunk.count, 0)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN { return }
                if count <= 0 { return cameToAnEnd(broken: count < 0) }
                take(chunk[..<count])
            }
        }
    }

    private func take(_ bytes: Slice<UnsafeMutableRawBufferPointer>) {
        guard stage == .reading else {
            // Taken, or closing the socket would take back what it was sent. But not for ever.
            unasked += bytes.count
            if unasked > Tuning.pageUnasked { close() }
            return
        }
        do throws(HTTPRefusal) {
            guard let request = try reader.feed(bytes) else { return }
            stage = .answering
            allow(limits.answers)
            onRequest(request)
        } catch {
            refuse(error)
        }
    }

    private func cameToAnEnd(broken: Bool) {
        // Who has asked and says no more may still listen; who follows a stream has nothing else to say.
        if broken || stage == .reading || stage == .streaming || stage == .parting { return close() }
        isDeaf = true
        reading.suspend()
    }

    // MARK: - What goes

    func refuse(_ refusal: HTTPRefusal) { answer(WebResponse(refusal), headOnly: false) }

    func answer(_ response: WebResponse, headOnly: Bool) {
        guard stage == .reading || stage == .answering else { return }
        stage = .sending
        allow(limits.takes)
        send(response.encoded(headOnly: headOnly))
    }

    /// Begins a stream.
    func stream(_ response: WebResponse) {
        guard stage == .answering else { return }
        stage = .streaming
        allow(nil)
        send(response.encoded(headOnly: false))
    }

    /// A piece of the stream. Who has not taken the last piece gets the newest when it has, and does without those in
    /// between: nobody is left with what no longer holds, and no more than one waits for anybody.
    func push(_ bytes: [UInt8], isNews: Bool = true) {
        guard stage == .streaming else { return }
        if outbound.isEmpty { send(bytes) } else if isNews { missed = bytes }
    }

    private func send(_ bytes: [UInt8]) {
        outbound = bytes
        written = 0
        write()
        // A stream's patience begins with what was not taken at once.
        if stage == .streaming, !outbound.isEmpty { allow(limits.takes) }
    }

    private func write() {
        while written < outbound.count {
            let count = outbound.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress! + written, outbound.count - written, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                if !isWriting { writing.resume() }
                isWriting = true
                return
            }
            if count < 0 { return close() }
            written += count
        }
        outbound = []
        written = 0
        if isWriting { writing.suspend() }
        isWriting = false
        if stage == .sending { part() }
        guard stage == .streaming else { return }
        allow(nil)
        if let newest = missed {
            missed = nil
            send(newest)
        }
    }

    /// Says that this was all, and waits for the other side to say so too: closing at once would take back, by a reset,
    /// what is still on its way.
    private func part() {
        if isDeaf { return close() }
        stage = .parting
        allow(limits.parts)
        shutdown(socket, Int32(SHUT_WR))
    }

    // MARK: - The end

    func close() {
        guard stage != .closed else { return }
        stage = .closed
        patience += 1
        reading.cancel()
        writing.cancel()
        onClose()
    }
}
