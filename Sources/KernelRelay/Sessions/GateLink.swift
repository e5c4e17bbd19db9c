import RelayLink

/// One link to a gate: numbered requests and their answers, and what the gate says unasked.
///
/// Concurrency: an actor. One task reads the channel for as long as the link lives; it ends with the channel.
actor GateLink {
    /// What no request asked for, in order; ends with the link.
    nonisolated let reports: AsyncStream<GateReport>
    private let gate: OpenGate
    private let sink: AsyncStream<GateReport>.Continuation
    private var answers: [Int64: CheckedContinuation<GateReport?, Never>] = [:]
    private var last: Int64 = 0
    private var isOver = false

    init(_ gate: OpenGate) {
        self.gate = gate
        (reports, sink) = AsyncStream.makeStream()
    }

    /// Begins to read. Whoever listens to `reports` calls it first.
    func start() { Task { await self.read() } }

    private func read() async {
        while let frame = await gate.channel.next() {
            // Other streams never come here, unless from a gate that has not said that it knows any.
            guard frame.stream == Frame.control else { continue }
            // A report of a later release is not for us, and no reason to give up the kernels.
            guard let report = try? GateReport(json: frame.payload) else {
                failAnswer(in: frame.payload)
                continue
            }
            hear(report)
        }
        isOver = true
        for continuation in answers.values { continuation.resume(returning: nil) }
        answers = [:]
        sink.finish()
        // The engine's client may not have noticed; it is nothing without its link.
        gate.close()
    }

    private func hear(_ report: GateReport) {
        if let request = report.request, let continuation = answers.removeValue(forKey: request) {
            continuation.resume(returning: report)
        } else {
            sink.yield(report)
        }
    }

    /// Asks, and waits for the answer. A gate in a container that is paused gives none.
    func ask(
        within limit: Duration = Tuning.gateAnswers, _ request: (Int64) -> GateRequest
    ) async throws(Refusal) -> GateReport {
        last += 1
        let number = last
        let message = request(number)
        let timer = Task {
            try? await Task.sleep(for: limit)
            if !Task.isCancelled { self.giveUp(number) }
        }
        let answer: GateReport? = await withCheckedContinuation { continuation in
            if isOver { return continuation.resume(returning: nil) }
            guard gate.channel.send(message) else { return continuation.resume(returning: nil) }
            answers[number] = continuation
        }
        timer.cancel()
        switch answer {
        case nil where message.json.count > Frame.largestPayload:
            throw Refusal(GateError(.frame, "\(message.type) for the gate"))
        case nil where isOver: throw Refusal(.gateLost, "while it was asked for \(message.type)")
        case nil: throw Refusal(.gateSilent, "asked for \(message.type)")
        case .failed(_, let code, let text, let remedy):
            throw Refusal(code: code, message: text, remedy: remedy)
        case .some(let report): return report
        }
    }

    /// Whoever waits for an answer that cannot be understood need not wait longer.
    private func failAnswer(in payload: [UInt8]) {
        guard let number = (try? JSON(parsing: payload))?.fields?["request"]?.integer else { return }
        giveUp(number)
    }

    private func giveUp(_ number: Int64) { answers.removeValue(forKey: number)?.resume(returning: nil) }

    /// Asks, and does not wait: what it does shows elsewhere.
    func tell(_ request: (Int64) -> GateRequest) {
        last += 1
        gate.channel.send(request(last))
    }

    /// Ends the link; the gate and its kernels live on.
    func close() { gate.channel.close() }
}

extension GateReport {
    /// The request that this is the answer to.
    var request: Int64? {
        switch self {
        case .failed(let request, _, _, _): request
        case .spawned(let request, _, _, _), .done(let request), .pong(let request), .status(let request, _),
            .vitals(let request, _):
            request
        case .welcome, .output, .exited, .ending: nil
        }
    }
}
