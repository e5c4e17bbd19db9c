import RelayLink

/// A gate without a link.
///
/// The engine may be down, or relayd and its shims may have been killed: from in here both look the same. Whoever has the
/// kernels shows it by the connections that do not lead through the engine, and what is known to nobody is taken for use.
extension Gate {
    func beginAbsence() {
        absence = Absence(limit: orphanLimit, at: .now)
        lookAround()
    }

    func endAbsence() {
        looking?.cancel()
        absence = nil
        findHold()
        hold?.isNeeded(true)
    }

    private func lookAround() {
        looking?.cancel()
        guard link == nil, !isStopping, absence != nil else { return }
        let isReached = multiplexer?.isReached == true || nursery.isHeld
        hold?.isNeeded(isReached)
        // Nobody says whether a cell runs.
        if nursery.hasRunning { used(ago: 0) }
        // Nobody will come, and nobody else ends kernels.
        if absence?.isOver(at: .now, isReached: isReached) == true {
            return stop(grace: .milliseconds(2500))
        }
        looking = loop.after(Tuning.absenceLook) { [weak self] in self?.lookAround() }
    }

    // MARK: - The container's own process

    /// Where none listened yet when this was asked last, one may by now.
    func findHold() {
        if hold == nil { hold = HoldLink(loop) { [weak self] in self?.containerEnds($0) } }
    }

    /// A kernel was used so many milliseconds ago, as far as anybody knows.
    func used(ago: Int64) {
        toldEnds.used(at: BootClock.now - ago)
        hold?.used(ago: ago)
    }

    private func containerEnds(_ end: EndRecord) {
        toldEnds.told(end, now: BootClock.now)
        // Before the kernels' ends, of which it is the reason.
        report(.ending(end.limit, milliseconds: end.left))
        if end.left == 0 { stop(grace: Tuning.heldGrace) }
    }
}

/// How long a gate has been needed by nobody, as a value.
package struct Absence {
    private let limit: Duration
    private var since: Moment

    package init(limit: Duration, at now: Moment) {
        self.limit = limit
        since = now
    }

    /// Whether it has been for so long that nobody will come.
    ///
    /// - Parameter isReached: somebody is connected to a kernel at this moment.
    package mutating func isOver(at now: Moment, isReached: Bool) -> Bool {
        if isReached { since = now }
        return now >= since + limit
    }
}
