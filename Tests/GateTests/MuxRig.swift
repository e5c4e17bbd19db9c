import CLinux
import FakeJupyter
import Foundation
import Gate
import Glibc
import RelayLink
import Synchronization
import Testing

/// A multiplexer on a thread of its own, for kernels that are not its processes.
///
/// Concurrency: the loop and the multiplexer live on the thread; what a test wants of them is handed over as
/// a closure, and waited for.
final class MuxRig: Sendable {
    static let token = "the-token-of-the-test-0123456789"
    typealias Work = @Sendable (Multiplexer) -> Void

    private let queue = Mutex<[Work]>([])
    private let bell = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    private let thread = Mutex<pthread_t?>(nil)
    private let hasStopped = Atomic<Bool>(false)
    let ports: [UInt16]

    init(
        ports: [UInt16], strangerDeadline: Duration = .seconds(10), kernelDeadline: Duration = .seconds(20)
    ) throws {
        self.ports = ports
        let failure = Mutex<GateError?>(nil)
        try spawnThread { [self] in
            do throws(GateError) {
                let loop = try EventLoop()
                let multiplexer = Multiplexer(
                    loop, registry: Registry(), token: Token(Self.token), strangerDeadline: strangerDeadline,
                    kernelDeadline: kernelDeadline)
                let watch = try loop.watch(bell, .readable) { _ in
                    var count: eventfd_t = 0
                    _ = eventfd_read(self.bell, &count)
                    for work in self.queue.withLock({ queue in
                        defer { queue = [] }
                        return queue
                    }) { work(multiplexer) }
                    if self.hasStopped.load(ordering: .acquiring) { loop.stop() }
                }
                do throws(GateError) {
                    try multiplexer.listen(on: Set(ports), address: "127.0.0.1")
                } catch {
                    failure.withLock { $0 = error }
                }
                loop.run()
                multiplexer.close()
                watch.cancel()
            } catch {
                failure.withLock { $0 = error }
            }
        }
        _ = counters
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func spawnThread(_ body: @escaping @Sendable () -> Void) throws {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var handle = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        let failed = pthread_create(
            &handle, nil,
            { argument in
                Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        try #require(failed == 0)
        thread.withLock { $0 = handle }
    }

    /// Ends the thread; nothing of the multiplexer is left when it returns.
    func stop() {
        hasStopped.store(true, ordering: .releasing)
        eventfd_write(bell, 1)
        if let handle = thread.withLock({ $0.take() }) {
            pthread_join(handle, nil)
            close(bell)
        }
    }

    /// Runs on the rig's thread, and returns when it has.
    func perform<Result: Sendable>(_ work: @escaping @Sendable (Multiplexer) -> Result) -> Result {
        let answer = Mutex<Result?>(nil)
        queue.withLock { $0.append { multiplexer in answer.withLock { $0 = work(multiplexer) } } }
        eventfd_write(bell, 1)
        while true {
            if let result = answer.withLock({ $0 }) { return result }
            usleep(200)
        }
    }

    var counters: [String: Int64] { perform { $0.counters } }

    func wait(milliseconds: Int = 5000, until done: ([String: Int64]) -> Bool) -> Bool {
        let deadline = Deadline(milliseconds: milliseconds)
        while !deadline.passed {
            if done(counters) { return true }
            usleep(2000)
        }
        return done(counters)
    }

    /// Its ends of the connections with clients and with a kernel. A count of all that is open would be one of what other
    /// tests have open, too.
    func ends(to kernel: RawKernel) -> Set<String> {
        Set(openDescriptors().filter { isPort($0.key) || leads($0.key, to: kernel.path) }.values)
    }

    private func isPort(_ descriptor: Int32) -> Bool {
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutableBytes(of: &name) {
            getsockname(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, &size)
        }
        return failed == 0 && name.sin_family == AF_INET && ports.contains(UInt16(bigEndian: name.sin_port))
    }

    private func leads(_ descriptor: Int32, to path: String) -> Bool {
        var name = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let failed = withUnsafeMutableBytes(of: &name) {
            getpeername(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, &size)
        }
        return failed == 0 && name.sun_family == AF_UNIX
            && withUnsafeBytes(of: name.sun_path) { $0.starts(with: path.utf8) }
    }

    func register(_ kernel: String, _ address: PeerAddress) {
        let places = PeerChannel.allCases.map { channel in
            let path = "\(address.ip)-\(address.ports[channel] ?? 0)"
            let name =
                address.transport == .ipc
                ? SocketName(path: path) : SocketName(ip: address.ip, port: address.ports[channel] ?? 0)!
            return (channel.rawValue, name)
        }
        let table = Dictionary(uniqueKeysWithValues: places)
        perform { $0.registry.register(kernel, at: table) }
    }

    func register(_ kernel: String, path: String) {
        perform { $0.registry.register(kernel, at: ["shell": SocketName(path: path)]) }
    }

    /// Where a client finds a kernel: behind five ports, or one.
    func front(_ kernel: String, key: String) -> PeerAddress {
        var table: [PeerChannel: UInt16] = [:]
        for (index, channel) in PeerChannel.allCases.enumerated() {
            table[channel] = ports[index % ports.count]
        }
        var address = PeerAddress(ip: "127.0.0.1", ports: table, key: key)
        address.plain = .init(userPrefix: kernel, password: Self.token)
        return address
    }

    static func freePorts(_ count: Int) throws -> [UInt16] {
        let address = try PeerAddress.loopback(key: "")
        return Array(PeerChannel.allCases.compactMap { address.ports[$0] }.prefix(count))
    }
}

/// What this process has open, by names that no two have.
func openDescriptors() -> [Int32: String] {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    var names: [Int32: String] = [:]
    for number in numbers.compactMap({ Int32($0) }) {
        names[number] = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
    }
    return names
}

/// A plain blocking socket, for whoever speaks byte by byte.
final class RawSocket {
    let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    convenience init(port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        let failed = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let failure = errno
        self.init(descriptor)
        if failed != 0 { throw PeerError("connect to \(port)", code: failure) }
    }

    convenience init(path: String) throws {
        guard case .connected(let descriptor) = Sockets.connect(SocketName(path: path)) else {
            throw PeerError("connect to \(path)", code: errno)
        }
        _ = fcntl(descriptor, F_SETFL, 0)
        self.init(descriptor)
    }

    func write(_ bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + start, bytes.count - start, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw PeerError("write", code: errno) }
            start += count
        }
    }

    /// Fewer bytes than asked for mean that the other side has ended, or ten seconds have passed.
    func read(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var piece = [UInt8](repeating: 0, count: min(1 << 16, count - bytes.count))
            let received = recv(descriptor, &piece, piece.count, 0)
            if received <= 0 { break }
            bytes += piece[..<received]
        }
        return bytes
    }

    func readToEnd() -> [UInt8] { read(.max) }

    /// The gate's greeting, the token, and a READY: after it bytes flow.
    func join(_ user: String, token: String = MuxRig.token) throws {
        try write(Greeting(mechanism: "PLAIN", isServer: false).bytes)
        let body = [UInt8(user.utf8.count)] + user.utf8 + [UInt8(token.utf8.count)] + token.utf8
        try write(Command("HELLO", body).bytes + Command("INITIATE", rawMetadata).bytes)
        #expect(read(64) == PlainServer.greeting)
        let expected = Command("WELCOME").bytes + Command("READY", rawMetadata).bytes
        #expect(read(expected.count) == expected)
    }
}

private let rawMetadata: [UInt8] = [11] + Array("Socket-Type".utf8) + [0, 0, 0, 4] + Array("PAIR".utf8)

/// A kernel's one socket, spoken byte by byte.
final class RawKernel {
    let path: String
    private let listener: Int32

    init() throws {
        path = "/tmp/kr-raw-\(getpid())-\(UInt32.random(in: 0...(.max)))"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let failed = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(failed == 0)
        listen(listener, 16)
    }

    deinit {
        close(listener)
        unlink(path)
    }

    /// Plays the kernel's part of the handshake on the next connection.
    func accept() throws -> RawSocket {
        let socket = RawSocket(accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue)))
        #expect(socket.read(64) == NullClient.greeting)
        try socket.write(Greeting(mechanism: "NULL", isServer: false).bytes)
        let ready = Command("READY", rawMetadata).bytes
        #expect(socket.read(ready.count) == ready)
        try socket.write(ready)
        return socket
    }
}
