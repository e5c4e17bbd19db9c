import Host
import RelayLink

/// How long a kernel may be there: when it was not used for its idle time, or has had its lifetime, it is ended as if it had
/// died. That is said in the notebook before, and answered to the cell that comes after.
extension KernelSession {
    /// The kernel of the present attempt is reached: its time is looked at from now on. The idle time begins anew with
    /// every relayd, the lifetime with every kernel.
    func watchLifetime(isResumed: Bool) {
        lifeguard?.cancel()
        // Its container may have a time, too.
        if isResumed { relay?.askWhetherItWorks() }
        guard !launch.lifetimes.areEndless else { return }
        let now = BootClock.now
        let span = Lifespan(launch.lifetimes, began: started ?? now, now: now)
        let kernel = kernel
        lifeguard = Task { await self.guardLife(of: kernel, span) }
    }

    private func guardLife(of kernel: String, _ span: Lifespan) async {
        var span = span
        while !Task.isCancelled, kernel == self.kernel, state == .running, ending == nil, refusal == nil,
            let relay
        {
            let now = BootClock.now
            switch span.step(at: now, lastUse: relay.lastUse(now)) {
            case .rest(let moment): try? await Task.sleep(for: .milliseconds(max(1, moment - now)))
            case .warn(let limit, let left): warn(limit, left)
            case .end(let limit): return await expire(limit)
            }
        }
    }

    private func warn(_ limit: LifetimeLimit, _ left: Int64) {
        let time = TimeSpan.text(left)
        switch limit {
        case .idle:
            announce(
                .kernelIdle,
                "nothing has run in this kernel for a while. It ends in \(time) unless something does")
        case .lifetime:
            announce(
                .kernelLifetime,
                "this kernel ends in \(time), with its variables: its time is over. Save what you need")
        }
    }

    /// The gate was told so by the container's own process.
    func containerEnds(_ limit: LifetimeLimit, in left: Int64) {
        let code: ErrorCode = limit == .idle ? .containerIdle : .containerLifetime
        if left == 0 {
            // Its gate ends it now, and this is why.
            if refusal == nil { refusal = Refusal(code, container) }
        } else if phases.total == nil {
            // Nobody could be told yet; and to be started is a use.
            if limit == .lifetime { containerEnd = BootClock.now + left }
        } else {
            let time = TimeSpan.text(left)
            announce(
                code,
                limit == .idle
                    ? "nothing has run in \(container) for a while. The container ends in \(time) unless something does"
                    : "the container \(container) ends in \(time), with all in it: its time is over. Save what you need"
            )
        }
    }

    /// Says something in the notebook, on the shim's stderr and in the log.
    func announce(_ code: ErrorCode, _ text: String) {
        relay?.announce("\n[\(code.rawValue)] \(text).\n")
        let line = Array("relayd: \(code.rawValue): \(text).\n".utf8)
        shim.send(ControlReport.output(stream: .stderr, data: line))
        Log.note(
            "kernel warned", ["kernel": id, "attempt": kernel, "code": code.rawValue, "message": text])
    }

    private func expire(_ limit: LifetimeLimit) async {
        guard let gate else { return }
        let (code, length) =
            limit == .idle
            ? (ErrorCode.kernelIdle, launch.lifetimes.idle) : (.kernelLifetime, launch.lifetimes.most)
        refusal = Refusal(code, TimeSpan.text(length ?? 0))
        await endKernel(at: gate, grace: Tuning.expiredGrace)
    }
}

extension Relay {
    /// When the kernel was used last, by the ``BootClock``; `now` while it is.
    func lastUse(_ now: Int64) -> Int64 {
        let pulse = pulse
        if pulse.isWorking { return now }
        guard let used = pulse.used else { return 0 }
        return now - Int64(clamping: used.duration(to: .now).nanoseconds / 1_000_000)
    }
}
