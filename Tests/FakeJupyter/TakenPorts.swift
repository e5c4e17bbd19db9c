import Glibc

/// TCP ports of a notebook's or a kernel's, held by somebody else.
package final class TakenPorts {
    private var listeners: [Int32] = []

    /// Binds and listens as the next owner would: another relay, or a kernel. Both reuse an address whose last
    /// connections linger.
    package init(_ address: PeerAddress, _ channels: [PeerChannel] = PeerChannel.allCases) throws {
        for channel in channels {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            listeners.append(descriptor)
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = (address.ports[channel] ?? 0).bigEndian
            name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let bound = withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                        && listen(descriptor, 8) == 0
                }
            }
            guard bound else { throw PeerError("\(channel) is taken", code: errno) }
        }
    }

    deinit { for listener in listeners { close(listener) } }
}
