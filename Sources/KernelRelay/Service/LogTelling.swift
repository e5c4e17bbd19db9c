import RelayLink

/// Tells a connection what the log holds, and what comes, at the reader's pace: to one who does not read nothing more
/// is sent, and what it missed meanwhile is counted.
struct LogTelling {
    let channel: FrameChannel
    let ring: LogRing
    let request: Int64
    let wanted: ControlRequest.Logs

    /// Comes to its end with what there is, or when its task is cancelled.
    func run() async {
        // Before the first look, or what comes in between would ring nobody.
        let bell = wanted.follow ? ring.bell() : nil
        let known = ring.page()
        await tell(mine(known.entries).suffix(Int(wanted.lines)), missed: 0, andThen: wanted.follow)
        guard let bell else { return }
        var next = known.next
        for await _ in bell {
            if Task.isCancelled { return }
            let page = ring.page(from: next)
            next = page.next
            let entries = mine(page.entries)
            if !entries.isEmpty || page.missed > 0 {
                await tell(entries[...], missed: page.missed, andThen: true)
            }
        }
    }

    private func mine(_ entries: [LogEntry]) -> [LogEntry] {
        guard let name = wanted.kernel else { return entries }
        return entries.filter { $0.kernel?.hasPrefix(name) ?? false }
    }

    private func tell(_ entries: ArraySlice<LogEntry>, missed: Int64, andThen follows: Bool) async {
        var rest = entries
        var missed = missed
        repeat {
            let page = rest.prefix(Tuning.logPage)
            rest = rest.dropFirst(page.count)
            channel.send(
                ControlReport.logs(
                    request: request,
                    .init(entries: Array(page), missed: missed, more: follows || !rest.isEmpty)))
            missed = 0
            while channel.pending > Tuning.logBacklog, !Task.isCancelled {
                await channel.flush(within: .seconds(1))
            }
        } while !rest.isEmpty && !Task.isCancelled
    }
}
