import RelayLink

/// The control connection of a kernel on trial: what a shim's is to a notebook's kernel.
struct TrialLine: Sendable {
    /// What relayd has told of the kernel so far.
    struct Story: Sendable {
        var kernel: String?
        var refusal: Refusal?
        /// Processes of its tree that lived on; nothing before its end is told.
        var left: Int64?
        /// The last that it wrote to stderr, in whole lines: half a secret is one that nothing recognises.
        private(set) var complaint: [UInt8] = []

        mutating func take(_ report: ControlReport) {
            switch report {
            case .launched(_, let keepsake): kernel = keepsake.kernel
            case .failed(_, let code, let message, let remedy):
                refusal = Refusal(code: code, message: message, remedy: remedy)
            case .output(.stderr, let data):
                complaint += data
                guard complaint.count > Tuning.longestComplaint else { break }
                complaint = Array(
                    complaint.suffix(Tuning.longestComplaint).drop { $0 != UInt8(ascii: "\n") })
            case .exited(let exit):
                left = exit.left
                if exit.cause != .code(0) {
                    refusal = Refusal(.kernelStart, exit.shown)
                }
            default: break
            }
        }
    }

    private let channel: FrameChannel

    init(_ channel: FrameChannel) { self.channel = channel }

    /// Asks for the kernel, and listens until it runs or never will.
    func launch(_ launch: ControlRequest.Launch) async -> Story {
        channel.send(ControlRequest.launch(request: 1, launch))
        var story = Story()
        while story.kernel == nil, story.refusal == nil, let report = await next() { story.take(report) }
        return story
    }

    /// Listens until there is nothing more to be heard.
    func rest(of story: Story) async -> Story {
        var story = story
        while let report = await next() { story.take(report) }
        return story
    }

    private func next() async -> ControlReport? {
        while let frame = await channel.next() {
            if let report = try? ControlReport(json: frame.payload) { return report }
        }
        return nil
    }

    /// Hangs up, which is the kernel's end.
    func close() { channel.close() }
}

extension GateReport.Exit {
    fileprivate var shown: String {
        let how =
            switch cause {
            case .code(let code): "it ended with code \(code)"
            case .signal(let number, _): "signal \(number) ended it"
            }
        return oomKilled ? "\(how), for lack of memory" : how
    }
}
