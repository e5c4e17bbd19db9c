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

    /// Nothing where nobody listens, or where so many connect at once that the caller has to try again.
    static func connect(_ path: String) throws(HostError) -> ControlSocket? {
        guard let descriptor = try UnixStream.connect(to: path, waiting: false) else { return nil }
        let socket = ControlSocket(descriptor)
        // What is sent holds keys and the environment; they are for nobody else.
        guard UnixStream.peer(of: descriptor) == geteuid() else {
            throw HostError(.relaydForeign, printable(path))
        }
        return socket
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
