import Glibc
import RelayLink

/// How a gate ends: its kernels first, and what they said last is delivered.
extension Gate {
    func signalled(_ number: Int32) {
        if number == SIGCHLD { return nursery.reap() }
        // Asked twice: somebody is in a hurry.
        stop(grace: isStopping ? .zero : .milliseconds(2500))
    }

    func stop(grace: Duration) {
        isStopping = true
        nursery.endAll(grace: grace)
        stopIfEnded()
    }

    func stopIfEnded() {
        guard !nursery.hasRunning else { return }
        awaitDelivery(until: .now + .seconds(1))
    }

    /// What the kernels said last gets the time to reach their clients.
    private func awaitDelivery(until limit: Moment) {
        let isDelivering = multiplexer?.isDelivering == true || streams?.isEmpty == false
        if isDelivering, Moment.now < limit {
            loop.after(.milliseconds(10)) { [weak self] in self?.awaitDelivery(until: limit) }
            return
        }
        guard let link else { return loop.stop() }
        for request in stopRequests { link.send(.done(request: request)) }
        stopRequests = []
        let whenClosed = link.onEvent
        link.onEvent = { [loop] event in
            whenClosed(event)
            if case .ended = event { loop.stop() }
        }
        link.finish()
        if link.isClosed { loop.stop() }
    }

    /// Without a link and without a kernel a gate waits to be joined for a while, and goes.
    func considerLeaving() {
        leaving?.cancel()
        guard link == nil, callers.isEmpty, !isStopping, !nursery.hasRunning else { return }
        // Whoever started it hung up before saying anything: there is no token to join it with.
        if token == nil { return loop.stop() }
        leaving = loop.after(linger) { [weak self] in self?.loop.stop() }
    }
}
