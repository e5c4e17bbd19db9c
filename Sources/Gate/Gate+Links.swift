import Glibc
import RelayLink

/// The links: they come and go, one of them is the link, and what it says first is checked.
extension Gate {
    func acceptJoins() {
        while case .accepted(let descriptor) = Sockets.accept(from: joinListener) {
            // Until its own stdio has said hello there is no token, and nobody else may choose it.
            guard token != nil, Sockets.peerUser(of: descriptor) == getuid(),
                callers.count < Tuning.mostWaitingLinks
            else {
                close(descriptor)
                continue
            }
            let link = Link(loop, input: descriptor, output: descriptor) { close(descriptor) }
            do throws(GateError) { try take(link) } catch { link.close() }
        }
    }

    /// Begins to listen to a link, which must say hello in time.
    func take(_ link: Link) throws(GateError) {
        let timer = loop.after(Tuning.helloDeadline) { [weak self, weak link] in
            link?.send(.failed(GateError(.helloLate)))
            link?.finish()
            self?.considerLeaving()
        }
        callers[ObjectIdentifier(link)] = (link, timer)
        link.onEvent = { [weak self, weak link] event in
            if let self, let link { happened(event, on: link) }
        }
        try link.open()
    }

    private func happened(_ event: Link.Event, on link: Link) {
        switch event {
        case .request(.hello(let hello)): greet(hello, on: link)
        case .request(let request):
            guard link === self.link else {
                link.send(.failed(GateError(.helloFirst, request.type), request: request.request))
                return
            }
            obey(request, link)
        case .relieved: if link === self.link { nursery.isCongested = false }
        case .ended: ended(link)
        }
    }

    private func ended(_ link: Link) {
        callers.removeValue(forKey: ObjectIdentifier(link))?.timer.cancel()
        guard link === self.link || token == nil else { return }
        self.link = nil
        streams?.detach(from: link)
        // Nobody listens: the kernels must not wait for it.
        nursery.isCongested = false
        beginAbsence()
        considerLeaving()
    }

    private func greet(_ hello: GateRequest.Hello, on link: Link) {
        guard link !== self.link else { return link.send(.failed(GateError(.helloTwice))) }
        if let token {
            guard token.matches(Array(hello.token.utf8)) else {
                link.send(.failed(GateError(.token)))
                return link.finish()
            }
        } else {
            let token = Token(hello.token)
            let multiplexer = Multiplexer(loop, registry: registry, token: token)
            do throws(GateError) {
                try multiplexer.listen(on: Set(hello.ports.values), address: hello.bind)
            } catch {
                // The link stays: hello can be said again, with other ports or with none.
                return link.send(.failed(error))
            }
            self.token = token
            self.multiplexer = multiplexer
            streams = Streams(loop) { [weak multiplexer] in
                if let multiplexer { multiplexer.take($0) } else { close($0) }
            }
            nursery.streams = streams
            ports = hello.ports
        }
        callers.removeValue(forKey: ObjectIdentifier(link))?.timer.cancel()
        let before = self.link
        self.link = link
        before?.send(.failed(GateError(.linkReplaced)))
        before?.finish()
        linger = .seconds(hello.lingerSeconds)
        orphanLimit = .seconds(hello.orphanSeconds)
        leaving?.cancel()
        endAbsence()
        let kept = streams?.keep(hello.streams) ?? .none
        link.send(.welcome(welcome(kept)))
        streams?.attach(to: link, hello.streams)
        nursery.letInAtAgentDoors()
        for kernel in nursery.all {
            if let exit = kernel.exit { link.send(.exited(kernel: kernel.id, exit)) }
        }
        for end in toldEnds.left(at: BootClock.now) { link.send(.ending(end.limit, milliseconds: end.left)) }
    }

    private func welcome(_ kept: StreamOffer) -> GateReport.Welcome {
        let folder = getcwd(nil, 0)
        defer { free(folder) }
        return GateReport.Welcome(
            pid: getpid(), uid: getuid(), gid: getgid(), user: Account.current.name,
            home: Environment.current.values["HOME"] ?? Account.current.home,
            cwd: folder.map { String(cString: $0) }, ports: ports, kernels: kernels, streams: kept)
    }

    var kernels: [GateReport.Kernel] {
        nursery.all.map {
            GateReport.Kernel(
                kernel: $0.id, pid: $0.pid, state: $0.state, transport: $0.transport,
                connectionFile: $0.connectionFile, connections: multiplexer?.connections(to: $0.id) ?? 0)
        }
    }

    func report(_ report: GateReport) {
        guard let link else { return }
        link.send(report)
        if link.backlog > Tuning.linkBacklog { nursery.isCongested = true }
    }
}
