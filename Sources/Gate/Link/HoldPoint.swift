import CLinux
import Glibc
import RelayLink

/// Where `hold` and the gates of its container find each other: a name in the abstract space, and records of a fixed
/// length over it. `protocol/gate.md` is the contract.
enum HoldPoint {
    static var name: String { "kernelrelay-keeper-\(JoinPoint.place)" }

    private static let kind = Int32(
        SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)

    static func listen() throws(GateError) -> Int32 {
        let descriptor = socket(AF_UNIX, kind, 0)
        if descriptor < 0 { throw .system("socket") }
        guard SocketName(abstract: name).use({ bind(descriptor, $0, $1) }) == 0,
            Glibc.listen(descriptor, 16) == 0
        else {
            let failure = errno
            close(descriptor)
            throw .system("bind \(name)", failure)
        }
        return descriptor
    }

    /// Nothing where no `hold` listens. Whoever has the name may be told that the container is in use; what is said here
    /// ends kernels, and so is listened to only when it is said by root or by who started this container.
    static func connect() -> (descriptor: Int32, mayEndKernels: Bool)? {
        let descriptor = socket(AF_UNIX, kind, 0)
        if descriptor < 0 { return nil }
        guard SocketName(abstract: name).use({ Glibc.connect(descriptor, $0, $1) }) == 0,
            let peer = Sockets.peerUser(of: descriptor)
        else {
            close(descriptor)
            return nil
        }
        var first = stat()
        return (descriptor, peer == 0 || stat("/proc/1", &first) == 0 && first.st_uid == peer)
    }

    /// One record, or nothing where there is none now. An empty one is the other side's end.
    static func receive(from descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count >= 0 { return Array(bytes[..<count]) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? nil : []
        }
    }

    /// A record more or less is not worth waiting for somebody who reads none. Who calls it ignores SIGPIPE.
    @discardableResult
    static func send(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        Glibc.send(descriptor, bytes, bytes.count, 0) == bytes.count
    }
}
