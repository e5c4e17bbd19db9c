import Glibc
import RelayLink

/// What is known of a kernel now.
extension KernelSession {
    package var observation: Observation {
        get async {
            var facts = facts
            facts.container = container
            var seen = Observation(kernel: kernel, facts: facts)
            seen.session = id
            seen.isStarting = state == .starting
            seen.trouble = trouble
            // Without a relay nothing but its container is left, which may take a moment.
            let isOver = state == .ended || state == .ending && relay == nil && !mayRun
            seen.end = isOver ? end : nil
            (seen.hasRun, seen.reached) = (hasHadKernel, reachedAt)
            seen.sight = await gate?.sight
            if let relay {
                seen.pulse = relay.pulse
                seen.isConnected = relay.isConnected
                seen.heldBytes = relay.totals.heldBytes
                seen.isHoldFull = seen.heldBytes >= Tuning.holdLimit
                seen.slowClient = relay.slowClient
            }
            return seen
        }
    }

    private var end: KernelEnd {
        switch ending {
        case .shutDown: return .shutDown
        case .abandoned: return .abandoned
        case .handedOver: return .handedOver
        case .stopped: return .stopped
        case .asked, nil: break
        }
        if aftermath.wasShutDown { return .shutDown }
        if let signal = aftermath.signals.intersection(Aftermath.terminating).first { return .signal(signal) }
        switch exitCause {
        case .code(let code): return .exited(code)
        case .signal(let number, _): return .signal(number)
        case nil: return .signal(SIGTERM)
        }
    }

    /// Tells whoever waits for a cell what is the matter, or that it is over.
    package func remark(_ verdict: KernelVerdict) { relay?.remark(verdict.remark) }
}
