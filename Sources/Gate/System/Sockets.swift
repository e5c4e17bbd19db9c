import CLinux
import Glibc
import RelayLink

/// Non-blocking sockets, closed on exec.
package enum Sockets {
    private static let stream = Int32(
        SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)

    /// Listens on a TCP port.
    package static func listen(_ address: String, port: UInt16) throws(GateError) -> Int32 {
        let place = "\(printable(address)) port \(port)"
        guard let name = SocketName(ip: address, port: port) else {
            throw GateError(.address, printable(address))
        }
        let descriptor = socket(name.family, stream, 0)
        if descriptor < 0 { throw .system("socket for \(place)") }
        set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if name.family == AF_INET6 { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        if name.use({ bind(descriptor, $0, $1) }) != 0 || Glibc.listen(descriptor, 256) != 0 {
            let failure = errno
            close(descriptor)
            switch failure {
            case EADDRINUSE: throw GateError(.portInUse, place)
            case EACCES, EPERM: throw GateError(.portDenied, place)
            case EADDRNOTAVAIL, EAFNOSUPPORT: throw GateError(.address, "\(place): \(errorText(failure))")
            default: throw .system("bind \(place)", failure)
            }
        }
        return descriptor
    }

    /// Listens on a path that only this user may connect to. The name must be free, and its folder private.
    package static func listen(path: String) throws(GateError) -> Int32 {
        let descriptor = socket(AF_UNIX, stream, 0)
        if descriptor < 0 { throw .system("socket") }
        // Before the name exists: the file gets the socket's mode.
        guard fchmod(descriptor, 0o600) == 0,
            SocketName(path: path).use({ bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 64) == 0
        else {
            let failure = errno
            close(descriptor)
            throw .system("listen \(path)", failure)
        }
        return descriptor
    }

    /// Two sockets that are connected with each other.
    package static func pair() -> (Int32, Int32)? {
        var ends: [Int32] = [-1, -1]
        return socketpair(AF_UNIX, stream, 0, &ends) == 0 ? (ends[0], ends[1]) : nil
    }

    /// Listens on a name in the abstract space, which needs no folder and goes with its process.
    package static func listen(abstract name: String) throws(GateError) -> Int32? {
        let descriptor = socket(AF_UNIX, stream, 0)
        if descriptor < 0 { throw .system("socket") }
        if SocketName(abstract: name).use({ bind(descriptor, $0, $1) }) != 0 {
            let failure = errno
            close(descriptor)
            if failure == EADDRINUSE { return nil }
            throw .system("bind \(name)", failure)
        }
        guard Glibc.listen(descriptor, 16) == 0 else {
            let failure = errno
            close(descriptor)
            throw .system("listen \(name)", failure)
        }
        return descriptor
    }

    package enum Connecting {
        case connected(Int32)
        /// Under way: writable once it is known how it ended.
        case pending(Int32)
        /// Nobody listens there, or not yet.
        case refused
        case failed(Int32)
    }

    package static func connect(_ name: SocketName) -> Connecting {
        let descriptor = socket(name.family, stream, 0)
        if descriptor < 0 { return .failed(errno) }
        if name.family != AF_UNIX { tune(descriptor) }
        if name.use({ Glibc.connect(descriptor, $0, $1) }) == 0 { return .connected(descriptor) }
        let failure = errno
        if failure == EINPROGRESS { return .pending(descriptor) }
        close(descriptor)
        switch failure {
        case ENOENT, ECONNREFUSED, EAGAIN: return .refused
        default: return .failed(failure)
        }
    }

    /// How a pending connect ended: an error number, or 0.
    package static func outcome(of descriptor: Int32) -> Int32 {
        var failure: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) == 0 else { return errno }
        return failure
    }

    package enum Accepting {
        case accepted(Int32)
        case none
        /// No descriptor or no memory is left for it.
        case exhausted
    }

    package static func accept(from listener: Int32) -> Accepting {
        while true {
            let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let descriptor = accept4(listener, nil, nil, flags)
            if descriptor >= 0 { return .accepted(descriptor) }
            switch errno {
            // The peer has gone again, or the network failed just for it: the next one may be there.
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH: continue
            case EMFILE, ENFILE, ENOMEM, ENOBUFS: return .exhausted
            default: return .none
            }
        }
    }

    /// No waiting for small messages, and a dead peer found within two minutes. Not TCP_USER_TIMEOUT: a
    /// notebook that is slow to read is not dead.
    package static func tune(_ descriptor: Int32) {
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60)
        set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
        set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 6)
    }

    /// The user on the other side of a Unix socket.
    package static func peerUser(of descriptor: Int32) -> UInt32? {
        var credentials = kr_credentials()
        var length = socklen_t(MemoryLayout<kr_credentials>.size)
        guard getsockopt(descriptor, SOL_SOCKET, Int32(KR_SO_PEERCRED), &credentials, &length) == 0
        else { return nil }
        return credentials.uid
    }

    /// Free loopback ports outside the range from which the system draws for outgoing connections: a connect
    /// that is tried again and again would, inside that range, some day draw the very port that it is looking
    /// for, be joined to itself, and keep the kernel from binding it.
    package static func freeLoopbackPorts(_ count: Int) -> [UInt16] {
        var ports: [UInt16] = []
        var held: [Int32] = []
        defer { for descriptor in held { close(descriptor) } }
        for attempt in 0..<1000 where ports.count < count {
            let port = attempt < 900 ? UInt16.random(in: 20_000..<32_000) : 0
            guard let descriptor = try? listen("127.0.0.1", port: port) else { continue }
            held.append(descriptor)
            if let bound = localPort(of: descriptor) { ports.append(bound) }
        }
        return ports
    }

    /// A connect to a loopback port on which nobody listens may be given that very port as its own.
    package static func isJoinedToItself(_ descriptor: Int32) -> Bool {
        guard let own = localPort(of: descriptor), own != 0 else { return false }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let failed = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        return failed == 0 && storage.isInternet && storage.port == own
    }

    package static func localPort(of descriptor: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let failed = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return failed == 0 && storage.isInternet ? storage.port : nil
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// An address as the system's calls take it.
package struct SocketName {
    package let family: Int32
    private let storage: sockaddr_storage
    private let length: socklen_t

    /// A Unix socket's path; it must have passed `fits`.
    package init(path: String) { self.init(unix: Array(path.utf8) + [0]) }

    package init(abstract name: String) { self.init(unix: [0] + Array(name.utf8)) }

    package static func fits(path: String) -> Bool { path.utf8.count <= 107 }

    private init(unix name: [UInt8]) {
        family = AF_UNIX
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name.prefix($0.count)) }
        storage = Self.stored(address)
        length = socklen_t(MemoryLayout<sa_family_t>.size + min(name.count, 108))
    }

    /// An IPv4 or IPv6 address; nothing for a name, since looking one up would need the system's libc.
    package init?(ip: String, port: UInt16) {
        var four = sockaddr_in()
        if inet_pton(AF_INET, ip, &four.sin_addr) == 1 {
            family = AF_INET
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            storage = Self.stored(four)
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            return
        }
        var six = sockaddr_in6()
        guard inet_pton(AF_INET6, ip, &six.sin6_addr) == 1 else { return nil }
        family = AF_INET6
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = port.bigEndian
        storage = Self.stored(six)
        length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    }

    private static func stored<Address>(_ address: Address) -> sockaddr_storage {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { target in
            withUnsafeBytes(of: address) { target.copyBytes(from: $0) }
        }
        return storage
    }

    func use(_ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, length) }
        }
    }
}

extension sockaddr_storage {
    fileprivate var isInternet: Bool { [AF_INET, AF_INET6].contains(Int32(ss_family)) }

    /// It stands at the same place for both families.
    fileprivate var port: UInt16 { withUnsafeBytes(of: self) { UInt16($0[2]) << 8 | UInt16($0[3]) } }
}
