import RelayLink

/// What may be read of relayd without its socket: the figures, and the status page.
extension Supervisor: WebSource {
    package func report(history: Bool) async -> JSON { await status(history: history) }

    package func metrics() async -> String {
        // In this order: a kernel that ends meanwhile is asked after its end, and not counted among the past besides.
        var tally = past
        for session in Array(kernels.values) { tally.add(await session.tally) }
        tally.hops = gates.hops.now
        let report = await status()
        let process = RelaydMetrics.Process(descriptors: Descriptors.open(), started: Double(started))
        return OpenMetrics.text(RelaydMetrics.families(report, tally, process))
    }

    package func readerCame() { guestCame() }
    package func readerLeft() { guestLeft() }

    // MARK: - The page

    /// Where the page is; where there is none it is opened.
    ///
    /// - Parameter text: `[ADDRESS:]PORT`, or nothing for any free port on loopback.
    package func openPage(at text: String?) throws(Refusal) -> String {
        do throws(RelayError) {
            let wanted = try text.map { text throws(RelayError) in try WebAddress(text) }
            if let page {
                guard wanted.map(page.isAt) ?? true else { throw RelayError(.pageOpen, page.url) }
                return page.wholeURL
            }
            let page = try WebServer(wanted ?? .anywhere, source: self)
            self.page = page
            Log.note("page open", ["url": page.url])
            return page.wholeURL
        } catch {
            throw Refusal(error)
        }
    }

    /// Its port is free for the next relayd.
    package func closePage() {
        page?.close()
        page = nil
    }
}
