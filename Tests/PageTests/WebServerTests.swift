import CLinux
import Foundation
import Glibc
import RelayLink
import Synchronization
import Testing

@testable import KernelRelay

/// A page on a real socket, and readers of every kind.
@Suite struct WebServerTests {
    @Test func thePlacesThatThereAre() async throws {
        try await withServer { server, source in
            let page = try await get("/", server)
            #expect(page.starts(with: "HTTP/1.1 200 OK\r\n") && page.contains("<!doctype html>"))
            #expect(page.contains("Content-Type: text/html; charset=utf-8\r\n"))
            #expect(try await get("/metrics", server).hasSuffix("\r\n\r\n# EOF\n"))
            #expect(try await get("/status.json", server).contains(#"{"history":true"#))
            #expect(try await get("/elsewhere", server).starts(with: "HTTP/1.1 404 "))
            #expect(try await get("/../", server).starts(with: "HTTP/1.1 404 "))
            for path in ["/", "/metrics", "/status.json", "/elsewhere", "/events"] {
                let head = try await get(path, server, method: "HEAD")
                #expect(head.hasSuffix("\r\n\r\n") || path == "/elsewhere")
                for header in [
                    "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
                    "Referrer-Policy: no-referrer",
                    "default-src 'none'", "frame-ancestors 'none'", "Connection: close",
                ] { #expect(head.contains(header), "\(path)") }
            }
            #expect(try await get("/", server, method: "POST").contains("405 Method Not Allowed"))
            #expect(source.readers == 0)
        }
    }

    @Test func everyPageHasANonceOfItsOwn() async throws {
        try await withServer { server, _ in
            var nonces: Set<Substring> = []
            for _ in 0..<3 {
                let page = try await get("/", server)
                let nonce = try #require(page.firstMatch(of: /script-src 'nonce-([0-9a-f]{48})'/)).1
                #expect(page.components(separatedBy: "nonce=\"\(nonce)\"").count == 3, "a style and a script")
                nonces.insert(nonce)
            }
            #expect(nonces.count == 3)
        }
    }

    @Test func aNameThatIsNotOurs() async throws {
        try await withServer { server, source in
            let answer = try await get("/status.json", server, host: "evil.example:\(server.address.port)")
            #expect(answer.starts(with: "HTTP/1.1 421 ") && !answer.contains("kernels"))
            #expect(source.asked == 0)
        }
    }

    @Test func offLoopbackATokenIsAskedFor() async throws {
        try await withServer("0.0.0.0:0") { server, source in
            let token = try #require(server.wholeURL.split(separator: "?token=").last.map(String.init))
            #expect(!server.url.contains(token) && token.count == 48)
            for path in [
                "/", "/metrics", "/status.json", "/events", "/elsewhere", "/?token=", "/?token=\(token)0",
            ] {
                let answer = try await get(path, server)
                #expect(answer.starts(with: "HTTP/1.1 401 ") && !answer.contains(token), "\(path)")
            }
            #expect(source.asked == 0 && source.readers == 0)
            for host in [nil, "box.example.org:\(server.address.port)"] {
                #expect(try await get("/?token=\(token)", server, host: host).starts(with: "HTTP/1.1 200 "))
            }
            #expect(
                try await get("/metrics", server, more: "Authorization: Bearer \(token)\r\n")
                    .starts(with: "HTTP/1.1 200 "))
        }
    }

    @Test func eventsAsTheyHappen() async throws {
        try await withServer { server, source in
            let reader = try Reader(server)
            reader.say("GET /events HTTP/1.1\r\nHost: localhost:\(server.address.port)\r\n\r\n")
            let head = try await reader.until("\n\n")
            #expect(head.contains("Content-Type: text/event-stream\r\n") && head.contains(#""history":true"#))
            #expect(!head.contains("Content-Length"))
            source.change("busy")
            #expect(try await reader.until("busy").contains("data: {"))
            #expect(source.readers == 1)
            reader.close()
            try await eventually("the reader's end") { source.readers == 0 ? () : nil }
            // Nobody follows any more, and so nothing is asked for.
            try await Task.sleep(for: .milliseconds(100))
            let asked = source.asked
            try await Task.sleep(for: .milliseconds(1500))
            #expect(source.asked == asked)
        }
    }

    /// What hangs up before it is answered is nobody who follows.
    @Test func whoHangsUpAtOnce() async throws {
        try await withServer { server, source in
            let words = "GET /events HTTP/1.1\r\nHost: localhost:\(server.address.port)\r\n\r\n"
            for _ in 0..<20 {
                let guest = try Reader(server)
                guest.say(words)
                guest.reset()
            }
            // Who is served behind them shows that they have been.
            let last = try Reader(server)
            last.say(words)
            _ = try await last.until("data:")
            last.close()
            try await eventually("the end of the feed") { source.readers == 0 ? () : nil }
            let asked = source.asked
            try await Task.sleep(for: Tuning.pageEvery * 2)
            #expect(source.asked == asked)
        }
    }

    /// Whoever comes and goes all the time gets no more long reports than the clock gives, and who stays gets his.
    @Test func manyWhoComeAndGo() async throws {
        try await withServer { server, source in
            let stays = try Reader(server)
            let words = "GET /events HTTP/1.1\r\nHost: localhost:\(server.address.port)\r\n\r\n"
            stays.say(words)
            _ = try await stays.until("data:")
            let began = ContinuousClock.now
            for _ in 0..<40 {
                let guest = try Reader(server)
                guest.say(words)
                _ = try await guest.until("\r\n\r\n")
                guest.close()
            }
            let seconds = Int(began.duration(to: .now).seconds)
            #expect(source.histories <= 2 + seconds)
            let newcomer = try Reader(server)
            newcomer.say(words)
            #expect(try await newcomer.until(#""history":true"#).contains("data: {"))
            for reader in [stays, newcomer] { reader.close() }
        }
    }

    /// One asks nothing, one takes nothing: neither keeps another from being served.
    @Test func readersWhoDoNotRead() async throws {
        try await withServer { server, source in
            source.change(String(repeating: "x", count: 2 << 20))
            let lazy = try (0..<3).map { _ in try Reader(server) }
            for reader in lazy {
                reader.say("GET /status.json HTTP/1.1\r\nHost: localhost:\(server.address.port)\r\n\r\n")
            }
            let silent = try Reader(server)
            #expect(try await get("/metrics", server).hasSuffix("# EOF\n"))
            for reader in lazy + [silent] { reader.close() }
        }
    }

    @Test func noMoreThanSoMany() async throws {
        try await withServer { server, _ in
            let all = try (0..<Tuning.pageReaders).map { _ in try Reader(server) }
            try await eventually("a refusal") {
                try await get("/metrics", server).starts(with: "HTTP/1.1 503 ") ? () : nil
            }
            for reader in all { reader.close() }
            try await eventually("room again") {
                try await get("/metrics", server).starts(with: "HTTP/1.1 200 ") ? () : nil
            }
        }
    }

    /// Who is one too many has a descriptor until told so. A crowd of them must not take all that relayd has.
    @Test func aCrowdIsNotEvenRefused() async throws {
        var limits = WebPatience()
        (limits.asks, limits.parts) = (.seconds(60), .seconds(60))
        try await withServer(limits: limits) { server, _ in
            let crowd = try (0..<2 * Tuning.pageReaders).map { _ in try Reader(server) }
            #expect(try await crowd[Tuning.pageReaders].untilEnd().starts(with: "HTTP/1.1 503 "))
            for _ in 0..<10 { #expect(try await Reader(server).untilEnd().isEmpty) }
            for reader in crowd { reader.close() }
            try await eventually("room again") {
                try await get("/metrics", server).starts(with: "HTTP/1.1 200 ") ? () : nil
            }
        }
    }

    @Test func whoSaysNothingIsSentAway() async throws {
        var limits = WebPatience()
        limits.asks = .milliseconds(200)
        try await withServer(limits: limits) { server, _ in
            let reader = try Reader(server)
            reader.say("GET / HT")
            #expect(try await reader.untilEnd().starts(with: "HTTP/1.1 408 "))
        }
    }

    /// All places are taken by those who ask and do not read, or follow and do not read: they lose them.
    @Test(arguments: ["/status.json", "/events"])
    func whoTakesNothingIsDropped(path: String) async throws {
        var limits = WebPatience()
        limits.takes = .milliseconds(300)
        try await withServer(limits: limits) { server, source in
            source.change(String(repeating: "x", count: 2 << 20))
            let lazy = try (0..<Tuning.pageReaders).map { _ in try Reader(server) }
            for reader in lazy {
                reader.say("GET \(path) HTTP/1.1\r\nHost: localhost:\(server.address.port)\r\n\r\n")
            }
            try await eventually("a place") {
                try await get("/metrics", server).starts(with: "HTTP/1.1 200 ") ? () : nil
            }
            try await eventually("the end of the feed") { source.readers == 0 ? () : nil }
            for reader in lazy { reader.close() }
        }
    }

    @Test func thePortIsFreeAgain() async throws {
        try await withServer { server, source in
            let reader = try Reader(server)
            reader.say("GET /events HTTP/1.1\r\nHost: localhost:\(server.address.port)\r\n\r\n")
            _ = try await reader.until("data:")
            server.close()
            _ = try await reader.untilEnd()
            try await eventually("the port") {
                let again = try? WebServer(server.address, source: source)
                again?.close()
                return again.map { _ in () }
            }
        }
    }

    @Test func twoCannotHaveOnePort() async throws {
        try await withServer { server, source in
            #expect { try WebServer(server.address, source: source) } throws: {
                ($0 as? RelayError)?.code == .pageBind
            }
        }
    }
}

// MARK: - Both ends

private final class Source: WebSource {
    private let state = Mutex((word: "ok", asked: 0, histories: 0, readers: 0))

    var asked: Int { state.withLock(\.asked) }
    var histories: Int { state.withLock(\.histories) }
    var readers: Int { state.withLock(\.readers) }
    func change(_ word: String) { state.withLock { $0.word = word } }

    func report(history: Bool) async -> JSON {
        state.withLock {
            $0.asked += 1
            if history { $0.histories += 1 }
            return ["history": .bool(history), "kernels": [["verdict": ["word": .string($0.word)]]]]
        }
    }
    func metrics() async -> String { "# EOF\n" }
    func readerCame() async { state.withLock { $0.readers += 1 } }
    func readerLeft() async { state.withLock { $0.readers -= 1 } }
}

private func withServer(
    _ address: String = "127.0.0.1:0", limits: WebPatience = .init(),
    _ test: (WebServer, Source) async throws -> Void
) async throws {
    let source = Source()
    let server = try WebServer(try WebAddress(address), source: source, limits: limits)
    defer { server.close() }
    try await test(server, source)
}

private func get(
    _ path: String, _ server: WebServer, method: String = "GET", host: String? = nil, more: String = ""
) async throws -> String {
    let reader = try Reader(server)
    defer { reader.close() }
    let host = host ?? "127.0.0.1:\(server.address.port)"
    reader.say("\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\n\(more)\r\n")
    return try await reader.untilEnd()
}

/// A connection by hand.
private final class Reader: Sendable {
    private let descriptor: Int32
    private let isClosed = Mutex(false)

    init(_ server: WebServer) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let address = try WebAddress("127.0.0.1:\(server.address.port)")
        let number = descriptor
        try #require(address.with { connect(number, $0, $1) } == 0)
    }

    func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// What came until these words did.
    func until(_ words: String) async throws -> String {
        try await read { $0.contains(words) }
    }

    func untilEnd() async throws -> String { try await read { _ in false } }

    private func read(_ isEnough: @escaping @Sendable (String) -> Bool) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Foundation.Thread { [self] in
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 65536)
                var limit = timeval(tv_sec: 30, tv_usec: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                while true {
                    let count = recv(descriptor, &chunk, chunk.count, 0)
                    if count < 0 { return continuation.resume(throwing: Silence(errno: errno)) }
                    bytes += chunk[..<count]
                    let text = String(decoding: bytes, as: UTF8.self)
                    if count == 0 || isEnough(text) { return continuation.resume(returning: text) }
                }
            }.start()
        }
    }

    struct Silence: Error { let errno: Int32 }

    func close() {
        let was = isClosed.withLock { closed in
            defer { closed = true }
            return closed
        }
        if !was { Glibc.close(descriptor) }
    }

    /// Hangs up so that the other side can send no more.
    func reset() {
        var atOnce = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    deinit { close() }
}

private func eventually(_ what: String, _ look: () async throws -> Void?) async throws {
    for _ in 0..<200 {
        if try await look() != nil { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("\(what) did not come")
}
