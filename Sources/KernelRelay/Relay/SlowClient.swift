import CLinux
import Glibc

/// The client that has most unread in its connection: the one that others wait for.
package struct SlowClient: Sendable, Equatable {
    package let channel: Channel
    /// Its address and port, or nothing for a Unix socket.
    package let address: String?
    /// Bytes that the system keeps for it.
    package let unread: Int

    package init(channel: Channel, address: String?, unread: Int) {
        (self.channel, self.address, self.unread) = (channel, address, unread)
    }

    /// The port at the client's end.
    package var port: UInt16? { address?.split(separator: ":").last.flatMap { UInt16($0) } }

    /// - Parameter descriptors: the connections to look at. One may have been closed a moment ago, and its number be
    ///   another file's: then it answers with an error, or is not the one with most unread.
    init?(among descriptors: some Sequence<Int32>, on channel: Channel) {
        var worst: (descriptor: Int32, unread: Int32)?
        for descriptor in descriptors {
            var unread: Int32 = 0
            guard ioctl(descriptor, UInt(TIOCOUTQ), &unread) == 0, unread > worst?.unread ?? 0 else {
                continue
            }
            worst = (descriptor, unread)
        }
        guard let worst else { return nil }
        self.channel = channel
        unread = Int(worst.unread)
        address = Self.peer(of: worst.descriptor)
    }

    private static func peer(of descriptor: Int32) -> String? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: 64)
        var port = [CChar](repeating: 0, count: 16)
        let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getpeername(descriptor, address, &size) == 0
                    && [sa_family_t(AF_INET), sa_family_t(AF_INET6)].contains(address.pointee.sa_family)
                    && getnameinfo(
                        address, size, &host, socklen_t(host.count), &port, socklen_t(port.count),
                        NI_NUMERICHOST | NI_NUMERICSERV) == 0
            }
        }
        guard isKnown else { return nil }
        func text(_ characters: [CChar]) -> String {
            String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return host.contains(CChar(UInt8(ascii: ":")))
            ? "[\(text(host))]:\(text(port))" : "\(text(host)):\(text(port))"
    }
}

extension SlowClient: CustomStringConvertible {
    package var description: String {
        "a client on \(channel.rawValue)\(address.map { " at \($0)" } ?? "")"
    }
}
