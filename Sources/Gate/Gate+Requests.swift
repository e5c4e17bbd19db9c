import RelayLink

/// What the link asks for.
extension Gate {
    func obey(_ request: GateRequest, _ link: Link) {
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
        case .vitals(let number, let idle):
            if let idle { used(ago: idle) }
            let running = nursery.all.filter { $0.exit == nil }
            link.send(
                .vitals(
                    request: number,
                    .init(kernels: running.map(ProcessVitals.of), memory: MemoryGroup.now)))
        case .spawn(let number, let launch):
            if isStopping { throw GateError(.stopping) }
            let kernel = try nursery.spawn(launch)
            link.send(
                .spawned(
                    request: number, kernel: kernel.id, pid: kernel.pid,
                    connectionFile: kernel.connectionFile))
            leaving?.cancel()
            used(ago: 0)
        case .signal(let number, let kernel, let signal, let target):
            try nursery.signal(kernel, signal, to: target)
            link.send(.done(request: number))
        case .end(let number, let id, let grace):
            let kernel = try nursery.kernel(id)
            if kernel.exit != nil { return link.send(.done(request: number)) }
            kernel.ending.append(number)
            kernel.end(grace: .milliseconds(grace))
        case .leave(let number):
            // Whoever comes next begins with other streams.
            streams?.closeAll()
            link.send(.done(request: number))
            link.finish()
        case .stop(let number, let grace):
            stopRequests.append(number)
            stop(grace: .milliseconds(grace))
        }
    }

    func kernelEnded(_ kernel: Kernel) {
        guard let exit = kernel.exit else { return }
        report(.exited(kernel: kernel.id, exit))
        for request in kernel.ending { report(.done(request: request)) }
        kernel.ending = []
        if isStopping { stopIfEnded() } else { considerLeaving() }
    }
}
