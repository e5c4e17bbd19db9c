import CLinux
import Glibc
import RelayLink

/// A connection to a Unix socket.
package enum UnixStream {
    /// The connected descriptor, or nothing where nobody listens.
    ///
    /// - Parameter waiting: whether to wait where so many connect at once that the queue is full, and whether the
    ///   descriptor's calls wait later on.
    package static func connect(to path: String, waiting: Bool) throws(HostError) -> Int32? {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, waiting ? kind : kind | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .system("socket") }
        let failure = UnixName.with(path) { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
        if failure == 0 { return descriptor }
        close(descriptor)
        switch failure {
        case ENOENT, ECONNREFUSED, EAGAIN: return nil
        default: throw .system("connect to \(printable(path))", failure)
        }
    }

    /// The user at the other end, as the kernel vouches for it.
    package static func peer(of descriptor: Int32) -> UInt32? { credentials(of: descriptor)?.uid }

    /// The process that listened at the other end when this one connected; where this one listened, that which connected.
    package static func listener(of descriptor: Int32) -> Int32? { credentials(of: descriptor)?.pid }

    private static func credentials(of descriptor: Int32) -> kr_credentials? {
        var credentials = kr_credentials()
        var length = socklen_t(MemoryLayout<kr_credentials>.size)
        let failed = getsockopt(descriptor, SOL_SOCKET, Int32(KR_SO_PEERCRED), &credentials, &length)
        return failed == 0 ? credentials : nil
    }
}

/// A path as the address of a Unix socket.
package enum UnixName {
    package static func with<Result>(
        _ path: String, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { name in
            // The last byte stays the terminator; longer paths were refused where they were read.
            name.copyBytes(from: path.utf8.prefix(name.count - 1))
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
