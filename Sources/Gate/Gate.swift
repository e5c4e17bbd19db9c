import CLinux
import Glibc
import RelayLink

/// The process inside a container that tells kernels apart, starts them, and sees them end.
///
/// Concurrency: one thread, the one that calls `run`; an event loop in it, to which all else is confined.
///
/// Its life: it waits for the first hello, which gives it the token and the ports. From then on links come
/// and go, one at a time. It ends when it is told to stop, or when it has had neither a link nor a kernel for
/// as long as the last hello said.
package final class Gate {
    private let name: String
    private let loop: EventLoop
    private let registry = Registry()
    private let nursery: Nursery
    private var multiplexer: Multiplexer?
    private var token: Token?
    private var ports: [String: UInt16] = [:]
    private let start = Moment.now

    private var signals: Signals?
    private var joinListener: Int32 = -1
    private var joinWatch: EventLoop.Watch?
    /// The link that has said hello.
    private var link: Link?
    /// Links that have not yet.
    private var callers: [ObjectIdentifier: (link: Link, timer: EventLoop.Timer)] = [:]
    private var linger: Duration = .seconds(60)
    private var leaving: EventLoop.Timer?
    private var stopRequests: [Int64] = []
    private var isStopping = false
    private var exitCode: Int32 = 0

    package init(name: String) throws(GateError) {
        self.name = name
        loop = try EventLoop()
        nursery = Nursery(loop, registry: registry)
    }

    /// Serves over stdin and stdout, and returns the exit code.
    package func run() -> Int32 {
        do throws(GateError) {
            try begin()
        } catch {
            return fail(error)
        }
        loop.run()
        finish()
        return exitCode
    }

    private func begin() throws(GateError) {
        DescriptorLimit.raise()
        // Orphans of kernels become children of the gate, which waits for them; pid 1 of a container often
        // does not. Where it is refused, they are only left as zombies.
        _ = kr_become_subreaper()
        signals = try Signals(loop, [SIGCHLD, SIGTERM, SIGINT]) { [weak self] in self?.signalled($0) }
        nursery.onReport = { [weak self] in self?.report($0) }
        nursery.onLeaderExit = { [weak self] in self?.multiplexer?.kernelEnded($0) }
        nursery.onEnd = { [weak self] in self?.kernelEnded($0) }
        guard let listener = try Sockets.listen(abstract: JoinPoint.name(name)) else {
            throw GateError(.running, name)
        }
        joinListener = listener
        joinWatch = try loop.watch(listener, .readable) { [weak self] _ in self?.acceptJoins() }
        let standard = Link(loop, input: STDIN_FILENO, output: STDOUT_FILENO) {
            // The engine waits for these to close before it tells its client that the exec's output has ended.
            StandardStreams.giveUp()
        }
        try take(standard)
    }

    /// Nobody may be reading frames: it is said in both ways.
    private func fail(_ error: GateError) -> Int32 {
        Complaint.say("relay-shim: \(error)")
        if let bytes = Frame(payload: GateReport.failed(error).json).encoded, isatty(STDOUT_FILENO) == 0 {
            _ = write(STDOUT_FILENO, bytes, bytes.count)
        }
        return error.code == .stdio ? 64 : 69
    }

    private func finish() {
        multiplexer?.close()
        joinWatch?.cancel()
        if joinListener >= 0 { close(joinListener) }
    }

    // MARK: - Links

    private func acceptJoins() {
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
    private func take(_ link: Link) throws(GateError) {
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
        case .drained: if link === self.link { nursery.isCongested = false }
        case .ended: ended(link)
        }
    }

    private func ended(_ link: Link) {
        callers.removeValue(forKey: ObjectIdentifier(link))?.timer.cancel()
        guard link === self.link || token == nil else { return }
        self.link = nil
        // Nobody listens: the kernels must not wait for it.
        nursery.isCongested = false
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
            ports = hello.ports
        }
        callers.removeValue(forKey: ObjectIdentifier(link))?.timer.cancel()
        let before = self.link
        self.link = link
        before?.send(.failed(GateError(.linkReplaced)))
        before?.finish()
        linger = .seconds(hello.lingerSeconds)
        leaving?.cancel()
        link.send(.welcome(welcome))
        for kernel in nursery.all {
            if let exit = kernel.exit { link.send(.exited(kernel: kernel.id, exit)) }
        }
    }

    private var welcome: GateReport.Welcome {
        let folder = getcwd(nil, 0)
        defer { free(folder) }
        return GateReport.Welcome(
            pid: getpid(), uid: getuid(), gid: getgid(), user: Account.current.name,
            home: Environment.current.values["HOME"] ?? Account.current.home,
            cwd: folder.map { String(cString: $0) }, ports: ports, kernels: kernels)
    }

    private var kernels: [GateReport.Kernel] {
        nursery.all.map {
            GateReport.Kernel(
                kernel: $0.id, pid: $0.pid, state: $0.state, transport: $0.transport,
                connectionFile: $0.connectionFile, connections: multiplexer?.connections(to: $0.id) ?? 0)
        }
    }

    private func report(_ report: GateReport) {
        guard let link else { return }
        link.send(report)
        if link.backlog > Tuning.linkBacklog { nursery.isCongested = true }
    }

    // MARK: - Requests

    private func obey(_ request: GateRequest, _ link: Link) {
        do throws(GateError) {
            try carryOut(request, link)
        } catch {
            link.send(.failed(error, request: request.request))
        }
    }

    private func carryOut(_ request: GateRequest, _ link: Link) throws(GateError) {
        switch request {
        case .hello: break
        case .ping(let number): link.send(.pong(request: number))
        case .status(let number):
            let uptime = Moment.now.nanoseconds - start.nanoseconds
            link.send(
                .status(
                    request: number,
                    .init(
                        uptimeMilliseconds: Int64(uptime / 1_000_000), kernels: kernels,
                        counters: multiplexer?.counters ?? [:])))
        case .spawn(let number, let launch):
            if isStopping { throw GateError(.stopping) }
            let kernel = try nursery.spawn(launch)
            link.send(
                .spawned(
                    request: number, kernel: kernel.id, pid: kernel.pid,
                    connectionFile: kernel.connectionFile))
            leaving?.cancel()
        case .signal(let number, let kernel, let signal, let target):
            try nursery.signal(kernel, signal, to: target)
            link.send(.done(request: number))
        case .end(let number, let id, let grace):
            let kernel = try nursery.kernel(id)
            if kernel.exit != nil { return link.send(.done(request: number)) }
            kernel.ending.append(number)
            kernel.end(grace: .milliseconds(grace))
        case .leave(let number):
            link.send(.done(request: number))
            link.finish()
        case .stop(let number, let grace):
            stopRequests.append(number)
            stop(grace: .milliseconds(grace))
        }
    }

    private func kernelEnded(_ kernel: Kernel) {
        guard let exit = kernel.exit else { return }
        report(.exited(kernel: kernel.id, exit))
        for request in kernel.ending { report(.done(request: request)) }
        kernel.ending = []
        if isStopping { stopIfEnded() } else { considerLeaving() }
    }

    // MARK: - The end

    private func signalled(_ number: Int32) {
        if number == SIGCHLD { return nursery.reap() }
        // Asked twice: somebody is in a hurry.
        stop(grace: isStopping ? .zero : .milliseconds(2500))
    }

    private func stop(grace: Duration) {
        isStopping = true
        nursery.endAll(grace: grace)
        stopIfEnded()
    }

    private func stopIfEnded() {
        guard !nursery.hasRunning else { return }
        awaitDelivery(until: .now + .seconds(1))
    }

    /// What the kernels said last gets the time to reach their clients.
    private func awaitDelivery(until limit: Moment) {
        if multiplexer?.isDelivering == true, Moment.now < limit {
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
    private func considerLeaving() {
        leaving?.cancel()
        guard link == nil, callers.isEmpty, !isStopping, !nursery.hasRunning else { return }
        // Whoever started it hung up before saying anything: there is no token to join it with.
        if token == nil { return loop.stop() }
        leaving = loop.after(linger) { [weak self] in self?.loop.stop() }
    }
}
