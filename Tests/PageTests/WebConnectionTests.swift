import Dispatch
import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

/// One connection, without a server.
@Suite struct WebConnectionTests {
    /// Three pieces come while the first is not taken. The last of them is what holds, and must come without a fourth.
    @Test func whoWasBusyGetsTheNewest() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let reader = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        let queue = DispatchQueue(label: "kr-page-test")
        let connection = WebConnection(ends[0], on: queue, limits: WebPatience())
        connection.onRequest = { [unowned connection] _ in
            connection.stream(WebResponse(type: "text/event-stream", body: nil))
            connection.push([UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20))
            for piece in ["older", "newest"] { connection.push(Array(piece.utf8)) }
            connection.push(EventSchedule.silent, isNews: false)
        }
        queue.sync { connection.start() }
        defer { queue.sync { connection.close() } }
        try reader.write(contentsOf: Data("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var came: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while !came.suffix(16).contains(UInt8(ascii: "w")) {
            let count = recv(ends[1], &chunk, chunk.count, 0)
            guard count > 0 else { break }
            came += chunk[..<count]
        }
        #expect(String(decoding: came.suffix(8), as: UTF8.self) == "xxnewest")
    }
}
