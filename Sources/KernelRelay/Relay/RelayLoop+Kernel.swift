/// How a relay's loop meets its kernel, lets requests through to it, and parts from it.
///
/// What is to be done is said by ``BackLife``; here it is carried out.
extension RelayLoop {
    func carryOut(_ actions: [BackLife.Action]) {
        for lane in toClient { lane.isHearingOut = life.isEnding }
        for action in actions {
            switch action {
            case .open where stopBy != nil: break
            case .open: openBack()
            case .admit:
                wasReached = true
                probe()
            case .shut:
                probeEnds = nil
                admission = nil
                pulse.stop()
                activity?.forget()
                counters.set(.connected, to: 0)
                interrupts?.standDown()
                for lane in requests {
                    lane.isOpen = false
                    // Where the relay answers for a dead kernel, what comes by now gets its answer too.
                    if spokesman == nil { lane.becomeStale(now: .now) } else { lane.letGo() }
                }
            case .close: closeBack()
            }
        }
    }

    private func openBack() {
        attempts += 1
        wasReached = false
        greeter.forget()
        interrupts?.forget()
        let identity = "relay-\(nonce.prefix(16))-\(attempts)"
        do throws(RelayError) {
            let kernel = try presentKernel()
            for (index, channel) in Channel.allCases.enumerated() {
                let port = try Port.back(channel, kernel, identity: identity, in: context)
                back.append(port)
                try watch(port, index, Number.back, Number.backMonitor)
                rung.insert(.backMonitor(index))
                toKernel[index].sink = port.handle
                toClient[index].source = port.handle
                toClient[index].isOpen = true
                // libzmq rings for a socket only once its reader has found it empty.
                toClient[index].mayReceive = true
            }
        } catch {
            // Descriptors or memory have run out (what is wrong with the description itself was refused before
            // the start): the same as a kernel that cannot be reached, and tried again in the same way.
            for channel in Channel.allCases { carryOut(life.handle(.refused(channel), now: .now)) }
        }
    }

    /// The kernel to connect to, with the seals for its key. They change while nothing is connected behind, and so
    /// never in the middle of a message.
    private func presentKernel() throws(RelayError) -> KernelAddress {
        if let next = nextKernel {
            for lane in toKernel + toClient where lane.isSealed {
                let (from, to) = ((frontInfo.scheme, frontInfo.key), (next.scheme, next.key))
                lane.change(
                    to: lane.direction == .toKernel
                        ? try Seal(from: from, to: to) : try Seal(from: to, to: from))
            }
            let paths = next.debugFolders.flatMap(DebugPaths.init)
            for lane in toKernel + toClient where lane.channel == .control || lane.channel == .iopub {
                lane.debugPaths = lane.isSealed ? paths : nil
            }
            kernel = next
            nextKernel = nil
        }
        // Nothing is opened before a kernel was named.
        return kernel!
    }

    private func closeBack() {
        if !wasReached { counters.add(1, to: .failedConnects) }
        for index in Channel.allCases.indices {
            toKernel[index].sink = nil
            toClient[index].source = nil
            toClient[index].isOpen = false
            toClient[index].mayReceive = false
            toClient[index].abandon()
        }
        for port in back {
            epoll.remove(port.descriptor)
            epoll.remove(port.monitorDescriptor)
        }
        back = []
    }

    func hearBack(_ index: Int) {
        let channel = Channel.allCases[index]
        while back.indices.contains(index), let event = back[index].nextEvent() {
            // What the connection brought came before its end.
            toClient[index].mayReceive = true
            let now = ContinuousClock.now
            switch event {
            case .handshakeDone: carryOut(life.handle(.handshakeDone(channel), now: now))
            case .handshakeFailed, .disconnected: carryOut(life.handle(.lost(channel), now: now))
            case .accepted: break
            case .refused: carryOut(life.handle(.refused(channel), now: now))
            }
        }
    }

    /// Sends a heartbeat of the relay's own before it lets requests through.
    ///
    /// A handshake says that the kernel's libzmq knows of the connection, and not that its publisher has read
    /// the subscription that came by it: the first `busy` could still be lost. What comes back from the kernel
    /// was sent after the subscription and passed the same I/O thread.
    private func probe() {
        pulse.stop()
        beat(now: .now)
        probeEnds = .now + Tuning.probeAtMost
    }

    private func beat(now: ContinuousClock.Instant) {
        for (index, channel) in Channel.allCases.enumerated() where channel == .hb {
            guard let sink = toKernel[index].sink else { continue }
            pulse.beat(to: sink, now: now)
            // Any call may have swallowed what rang for the other direction.
            toClient[index].mayReceive = true
        }
    }

    /// Once in every round: what others are to see of this thread and its kernel.
    func observe() {
        guard let activity else { return }
        let now = ContinuousClock.now
        activity.beginRound(at: now)
        let pace = activity.beatEvery
        pulse.look(every: pace, now: now)
        if pulse.isDue(every: pace, now: now), life.phase == .up { beat(now: now) }
        guard toClient.contains(where: \.isHolding) else {
            if holding != nil { counters.holds(since: nil, for: nil) }
            holding = nil
            return
        }
        let held = holding ?? (since: now, looked: now)
        holding = held
        if held.since == now { counters.holds(since: now, for: nil) }
        if held.looked.duration(to: now) >= Tuning.clientIsSlow { findSlowClient(held.since, now) }
    }

    /// Not for every burst: it asks the system about each connection.
    private func findSlowClient(_ since: ContinuousClock.Instant, _ now: ContinuousClock.Instant) {
        holding = (since, now)
        let found = Channel.allCases.indices.filter { toClient[$0].isHolding }.compactMap { index in
            SlowClient(among: callers[index].present, on: Channel.allCases[index])
        }
        counters.holds(since: since, for: found.max { $0.unread < $1.unread })
    }

    func endProbe() {
        guard let end = probeEnds else { return }
        if !pulse.isAwaited || .now >= end {
            // The publisher looks at new subscriptions when it publishes, though not at every message.
            probeEnds = nil
            admission = .now + Tuning.subscriptionSettles
        }
    }

    /// Lets requests through, unless some on their way were still meant for the kernel before.
    func admit() {
        guard let due = admission, .now >= due, life.phase == .up, stopBy == nil,
            requests.allSatisfy({ $0.staleEnd == nil })
        else { return }
        admission = nil
        counters.add(1, to: .kernelConnections)
        counters.set(.connected, to: 1)
        spokesman?.standDown()
        for lane in requests { lane.isOpen = true }
    }

    /// Asks what every kernel answers at once when it has nothing else to do. Its answer goes no further; that it is busy
    /// for a moment is seen by clients as when Jupyter's server asks the same.
    func askWhetherItWorks() {
        guard let activity, let kernel, life.phase == .up,
            let maker = try? MessageMaker(scheme: kernel.scheme, key: kernel.key)
        else { return }
        let session = "relay-\(nonce)"
        let header = MessageHeader(
            id: "", type: "kernel_info_request", username: "relay", session: session, date: nil,
            version: "5.3")
        let made = maker.message(to: [Array(session.utf8)], header, content: Array("{}".utf8))
        // Behind the one identity, the delimiter and the signature.
        guard let made, let id = MessageID.find(in: made.view(3)) else { return }
        activity.asked(id)
        toKernel.first { $0.channel == .shell }?.say(made)
    }

    func endStale() {
        guard requests.contains(where: { $0.staleEnd != nil }) else { return }
        let now = ContinuousClock.now
        for lane in requests { lane.endStale(now: now) }
    }
}
