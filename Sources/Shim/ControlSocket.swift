import CLinux
import Glibc
import Host
import RelayLink

/// The connection to relayd: reports in, requests out.
///
/// Concurrency: confined to the shim's one thread, which polls `descriptor`.
final class ControlSocket {
    let descriptor: Int32
    private var decoder = FrameDecoder()
    private var owed: [UInt8] = []

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Nothing where nobody listens.
    static func connect(_ path: String) throws(HostError) -> ControlSocket? {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw .system("socket") }
        let socket = ControlSocket(descriptor)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // RuntimeFolder has seen to the length.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let failed = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if failed != 0 {
            switch errno {
            // EAGAIN: so many connect at once that the queue is full; the caller tries again.
            case ENOENT, ECONNREFUSED, EAGAIN: return nil
            default: throw .system("connect to \(printable(path))")
            }
        }
        // What is sent holds keys and the environment; they are for nobody else.
        guard socket.peer == geteuid() else { throw HostError(.relaydForeign, printable(path)) }
        return socket
    }

    /// The user on the other side.
    private var peer: UInt32? {
        var credentials = kr_credentials()
        var length = socklen_t(MemoryLayout<kr_credentials>.size)
        let failed = getsockopt(descriptor, SOL_SOCKET, Int32(KR_SO_PEERCRED), &credentials, &length)
        return failed == 0 ? credentials.uid : nil
    }

    // MARK: - Out

    var wantsToWrite: Bool { !owed.isEmpty }

    /// False when the request is too long for a frame.
    func send(_ request: ControlRequest) -> Bool {
        guard let bytes = Frame(payload: request.json).encoded else { return false }
        owed += bytes
        flush()
        return true
    }

    /// A relayd that has gone shows when the socket is read, where its last words may still stand.
    func flush() {
        while !owed.isEmpty {
            let count = Glibc.send(descriptor, owed, owed.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else { break }
            owed.removeFirst(count)
        }
        owed = []
    }

    // MARK: - In

    enum Event {
        case report(ControlReport)
        /// What came cannot be understood. The reason quotes nothing of it.
        case nonsense(String)
        case ended
    }

    /// One read, and all that it completed.
    func receive() -> [Event] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 16 * 1024) { buffer, count in
            let received = read(descriptor, buffer.baseAddress, buffer.count)
            if received < 0 { failure = errno }
            count = max(0, received)
        }
        if failure == EINTR || failure == EAGAIN { return [] }
        if bytes.isEmpty { return [.ended] }
        decoder.feed(bytes)
        var events: [Event] = []
        do throws(FrameDecoder.TooLong) {
            while let frame = try decoder.next() {
                guard frame.stream == Frame.control else { continue }
                do throws(GateError) {
                    events.append(.report(try ControlReport(json: frame.payload)))
                } catch {
                    events.append(.nonsense(error.message))
                }
            }
        } catch {
            events.append(.nonsense("a frame of \(error.length) bytes"))
        }
        return events
    }
}

extension HostError {
    static func system(_ call: String) -> HostError {
        HostError(.system, "\(call): \(String(cString: strerror(errno)))")
    }
}
