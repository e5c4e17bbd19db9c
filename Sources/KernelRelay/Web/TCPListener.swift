import CLinux
import Glibc
import RelayLink

/// A listening TCP socket.
struct TCPListener {
    let descriptor: Int32
    /// With the port that it got.
    let address: WebAddress

    init(_ wanted: WebAddress) throws(RelayError) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(wanted.family == .four ? AF_INET : AF_INET6, kind, 0)
        guard descriptor >= 0 else { throw .system("socket") }
        do throws(RelayError) {
            address = try Self.bind(descriptor, wanted)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    private static func bind(_ descriptor: Int32, _ wanted: WebAddress) throws(RelayError) -> WebAddress {
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // The relayd before may have closed its connections a moment ago.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        // Else `[::]` would be IPv4's every address too, and nothing here would know.
        if wanted.family == .six { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, size) }
        guard wanted.with({ Glibc.bind(descriptor, $0, $1) }) == 0, listen(descriptor, 32) == 0 else {
            throw RelayError(.pageBind, wanted.authority, cause: errorText(errno))
        }
        var name = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let port = withUnsafeMutablePointer(to: &name) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = getsockname(descriptor, $0, &length)
            }
            // Of both families' names the port is the second field.
            return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                UInt16(bigEndian: $0.pointee.sin_port)
            }
        }
        var bound = wanted
        bound.port = port
        return bound
    }

    /// This machine's name; nothing where it has none.
    static var machine: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
}
