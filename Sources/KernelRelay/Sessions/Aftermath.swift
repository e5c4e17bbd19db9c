import Glibc
import RelayLink

/// Whether a kernel that has ended was meant to, as a value.
package struct Aftermath: Sendable, Equatable {
    /// Signals that the shim was sent, and the kernel got.
    package private(set) var signals: Set<Int32> = []
    /// A client has asked for the end.
    package var wasShutDown = false
    /// It has answered once.
    package var wasReached = false

    package init() {}

    package mutating func passed(_ signal: Int32) { signals.insert(signal) }

    /// Whether the end is one that nobody wanted: then there is somebody to be told why.
    package func isUnwanted(_ cause: GateReport.Exit.Cause) -> Bool {
        if wasShutDown || !signals.isDisjoint(with: Self.terminating) { return false }
        switch cause {
        // One that never answered has failed, whatever it says of itself.
        case .code(0): return !wasReached
        case .code: return true
        // An interrupt is not to end anything.
        case .signal(let number, _): return number == SIGINT || !signals.contains(number)
        }
    }

    static let terminating: Set<Int32> = [SIGTERM, SIGHUP, SIGQUIT, SIGKILL]
}
