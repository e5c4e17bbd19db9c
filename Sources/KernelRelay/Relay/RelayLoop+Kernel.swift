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
                counters.set(.connected, to: 0)
                interrupts?.standDown()
                for lane in requests {
                    lane.isOpen = false
                    lane.becomeStale(now: .now)
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
        let identity = Array("relay-\(nonce)".utf8)
        for (index, channel) in Channel.allCases.enumerated() where channel == .hb {
            guard let sink = toKernel[index].sink else { continue }
            var heartbeat = Frames([identity, [], Array("relay".utf8)])
            toClient[index].awaitedProbe = identity
            _ = heartbeat.send(to: sink)
            toClient[index].mayReceive = true
        }
        probeEnds = .now + Tuning.probeAtMost
    }

    func endProbe() {
        guard let end = probeEnds else { return }
        if isProbeBack || .now >= end {
            // The publisher looks at new subscriptions when it publishes, though not at every message.
            probeEnds = nil
            admission = .now + Tuning.subscriptionSettles
        }
    }

    private var isProbeBack: Bool { toClient.allSatisfy { $0.awaitedProbe == nil } }

    /// Lets requests through, unless some on their way were still meant for the kernel before.
    func admit() {
        guard let due = admission, .now >= due, life.phase == .up, stopBy == nil,
            requests.allSatisfy({ $0.staleEnd == nil })
        else { return }
        admission = nil
        counters.add(1, to: .kernelConnections)
        counters.set(.connected, to: 1)
        for lane in requests { lane.isOpen = true }
    }

    func endStale() {
        guard requests.contains(where: { $0.staleEnd != nil }) else { return }
        let now = ContinuousClock.now
        for lane in requests { lane.endStale(now: now) }
    }
}
