/// Why a connection did not get through the gate.
package enum Refusal: String, CaseIterable, Sendable {
    /// The first bytes are not ZMTP: a browser, a port scan.
    case notZMTP
    /// ZMTP before version 3 has no mechanisms.
    case oldZMTP
    /// Another mechanism than the one that is spoken on this side.
    case mechanism
    /// A command that does not belong here, or whose parts do not fit together.
    case malformed
    /// A command that is longer than any may be.
    case tooLong
    /// The token is wrong or no kernel has the id; the peer is not told which.
    case credentials
    /// The token was not shown in time.
    case deadline
    /// Pushed out by newer strangers.
    case crowd
    /// The other side hung up.
    case hungUp
    /// The kernel did not listen in time.
    case kernelSilent
    /// The kernel ended before the connection was through.
    case kernelEnded
    /// The kernel itself refused.
    case kernelRefused

    /// What an ERROR command says: 400, as in ZAP, for credentials that will not do the next time either, and 300 for
    /// what may. Nothing where the peer did no wrong but wait: to libzmq one ERROR is like another, and it must
    /// not take a full gate for one that does not know it.
    var reason: String? {
        switch self {
        case .credentials: "400"
        case .kernelSilent, .kernelEnded, .kernelRefused, .hungUp: "300"
        case .mechanism: "this gate speaks PLAIN"
        case .notZMTP, .oldZMTP: "this gate speaks ZMTP 3"
        case .malformed: "malformed command"
        case .tooLong: "command too long"
        case .deadline, .crowd: nil
        }
    }
}
