import CLinux
import Glibc

/// Pairs of descriptors that no child inherits by accident.
package enum Pipe {
    package static func make() throws(RelayError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw .system("pipe2") }
        return (ends[0], ends[1])
    }

    /// Two connected sockets: what one end writes the other reads, both ways.
    package static func pair() throws(RelayError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw .system("socketpair") }
        return (ends[0], ends[1])
    }
}
