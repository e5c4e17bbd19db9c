import CLinux
import Foundation
import Glibc
import RelayLink
import Synchronization
import Testing

/// What a test waits for did not come.
struct Silence: Error, CustomStringConvertible {
    let description: String
}

/// Looks again until `look` finds something.
func eventually<Result>(
    _ what: String, within seconds: Double = 15, _ look: () throws -> Result?
) throws -> Result {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
        if let result = try look() { return result }
        usleep(1000)
    }
    throw Silence(description: "\(what) did not happen within \(seconds) s")
}

/// The socket of a relayd, with a test behind it.
///
/// Concurrency: one thread accepts, and one for each connection reads; both end when their socket is shut down.
final class FakeRelayd: Sendable {
    /// One shim's connection.
    final class Connection: Sendable {
        private struct Content {
            var requests: [ControlRequest] = []
            var hasEnded = false
        }
        private let descriptor: Int32
        private let content = Mutex(Content())

        fileprivate init(_ descriptor: Int32) {
            self.descriptor = descriptor
            Thread { [self] in read() }.start()
        }

        deinit { close(descriptor) }

        private func read() {
            var decoder = FrameDecoder()
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                if count <= 0 { break }
                decoder.feed(buffer[..<count])
                while let frame = try? decoder.next() {
                    guard let request = try? ControlRequest(json: frame.payload) else { continue }
                    content.withLock { $0.requests.append(request) }
                }
            }
            content.withLock { $0.hasEnded = true }
        }

        func send(_ report: ControlReport) { raw(Frame(payload: report.json).encoded!) }

        func raw(_ bytes: [UInt8]) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, 0x4000) }
                if count <= 0 { return }
                rest = rest.dropFirst(count)
            }
        }

        /// The next request.
        func next() throws -> ControlRequest {
            try eventually("a request") {
                content.withLock { $0.requests.isEmpty ? nil : $0.requests.removeFirst() }
            }
        }

        var pending: Int { content.withLock { $0.requests.count } }
        var hasEnded: Bool { content.withLock { $0.hasEnded } }

        func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    let path: String
    private let descriptor: Int32
    private let connections = Mutex<[Connection]>([])
    private let accepted = Atomic<Int>(0)
    private let isDead = Atomic<Bool>(false)

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let failed = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(failed == 0 && listen(descriptor, 128) == 0)
        Thread { [weak self, descriptor] in
            while true {
                let connected = accept4(descriptor, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
                if connected < 0 { break }
                guard let self else { break }
                let connection = Connection(connected)
                self.connections.withLock { $0.append(connection) }
                self.accepted.add(1, ordering: .relaxed)
            }
        }.start()
    }

    deinit {
        if !isDead.load(ordering: .relaxed) { die() }
        for connection in connections.withLock({ $0 }) { connection.hangUp() }
    }

    var acceptedCount: Int { accepted.load(ordering: .relaxed) }

    /// The next shim that connects.
    func connection() throws -> Connection {
        try eventually("a connection") {
            connections.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }
    }

    /// As a relayd that is killed: the file stays, and nobody listens.
    func die(_ open: Connection...) {
        isDead.store(true, ordering: .relaxed)
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
        for connection in open { connection.hangUp() }
    }
}
