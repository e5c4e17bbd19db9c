import RelayLink

/// How a kernel came to an end that is no failure, or was somebody's wish.
package enum KernelEnd: Sendable, Equatable {
    /// A client's `shutdown_request`: a notebook was closed, or its kernel restarted.
    case shutDown
    case signal(Int32)
    case exited(Int32)
    /// Its shim went, and took it along.
    case abandoned
    /// `relayd stop`.
    case stopped
    /// relayd lets go of it, and it runs on.
    case handedOver

    /// - Parameter hasRun: whether a kernel has ever answered.
    func text(hasRun: Bool) -> String {
        let how =
            switch self {
            case .shutDown: "shut down"
            case .signal(let number): "ended by \(SignalName.text(number) ?? "signal \(number)")"
            case .exited(let code): "exited \(code)"
            case .abandoned: "ended with its shim"
            case .stopped: "ended by relayd stop"
            case .handedOver: "handed over to the next relayd"
            }
        return hasRun ? how : "\(how) before it had started"
    }
}
