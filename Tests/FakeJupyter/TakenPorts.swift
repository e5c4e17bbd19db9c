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
            let bound = address.lent(channel) { bind(descriptor, $0, $1) }
            guard bound == 0, listen(descriptor, 8) == 0 else {
                throw PeerError("\(channel) is taken", code: errno)
            }
        }
    }

    deinit { for listener in listeners { close(listener) } }
}
