import CLinux
import Glibc

/// Ports of this host for a container to be published on.
///
/// From 20000 to 29999: below the range from which Linux and Jupyter draw ports of the moment (32768 to 60999),
/// and above those that VS Code draws from 9000 up. A port between a kernel's five and a container's would be a
/// kernel that starts only sometimes.
package enum HostPorts {
    package static let range: ClosedRange<UInt16> = 20000...29999

    /// So many neighbouring ports that are free now, from a place that is drawn. Neighbours, because a person may
    /// have to read them, or let them through a firewall.
    ///
    /// - Parameter promised: free as well, and not to be had.
    package static func choose(_ count: Int, besides promised: Set<UInt16> = []) throws(RelayError)
        -> [UInt16]
    {
        let span = range.count / count
        let start = Int.random(in: 0..<span)
        for step in 0..<span {
            let first = Int(range.lowerBound) + (start + step) % span * count
            let ports = (first..<first + count).map { UInt16($0) }
            if promised.isDisjoint(with: ports), ports.allSatisfy(isFree) { return ports }
        }
        throw RelayError(.portsTaken, "\(range.lowerBound) to \(range.upperBound)")
    }

    /// Whether the port can be bound on loopback now: what listens on all interfaces is in the way as well.
    package static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // A connection that has just ended is in nobody's way; a listener is, with this set as well.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
