import Testing

@testable import KernelRelay

/// What strangers may send, and what becomes of it.
@Suite struct HTTPRequestTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        let refusal: HTTPRefusal?
        var testDescription: String { name }

        init(_ name: String, _ text: String, _ refusal: HTTPRefusal?) {
            (self.name, self.text, self.refusal) = (name, text, refusal)
        }

        /// A request with a Host, and something between.
        init(_ name: String, line: String = "GET / HTTP/1.1", header: String = "", _ refusal: HTTPRefusal?) {
            self.init(name, "\(line)\r\nHost: a\r\n\(header.isEmpty ? "" : header + "\r\n")\r\n", refusal)
        }
    }

    static let cases: [Case] = [
        Case("the least", nil),
        Case("HEAD", line: "HEAD /metrics HTTP/1.1", nil),
        Case("HTTP/1.0", line: "GET / HTTP/1.0", nil),
        Case("a query", line: "GET /events?token=x HTTP/1.1", nil),
        Case("a colon in a value", header: "X: a:b", nil),
        Case("an empty value", header: "X:", nil),
        Case("a tab in a value", header: "X:\ta\tb", nil),
        Case("length zero", header: "Content-Length: 0", nil),
        Case("a name twice", header: "Accept: a\r\nAccept: b", nil),
        Case("not ASCII in a value", header: "X: é", nil),

        Case("POST", line: "POST / HTTP/1.1", .notAllowed),
        Case("OPTIONS *", line: "OPTIONS * HTTP/1.1", .notAllowed),
        Case("small letters", line: "get / HTTP/1.1", .notAllowed),
        Case("another version", line: "GET / HTTP/2.0", .version),
        Case("no version", line: "GET /", .malformed),
        Case("version 0.9, spelled", line: "GET / HTTP/0.9", .version),
        Case("nonsense for a version", line: "GET / FTP/1.1", .malformed),
        Case("two spaces", line: "GET  / HTTP/1.1", .malformed),
        Case("a space behind", line: "GET / HTTP/1.1 ", .malformed),
        Case("a space before", line: " GET / HTTP/1.1", .malformed),
        Case("a tab between", line: "GET\t/ HTTP/1.1", .malformed),
        Case("no method", line: " / HTTP/1.1", .malformed),
        Case("a method that is no word", line: "G(T / HTTP/1.1", .malformed),
        Case("the whole address", line: "GET http://a/ HTTP/1.1", .malformed),
        Case("no slash", line: "GET metrics HTTP/1.1", .malformed),
        Case("a fragment", line: "GET /#x HTTP/1.1", .malformed),
        Case("not ASCII in the target", line: "GET /é HTTP/1.1", .malformed),
        Case("an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformed),
        Case("an empty request", "\r\n\r\n", .malformed),

        Case("no host", "GET / HTTP/1.1\r\nX: a\r\n\r\n", .malformed),
        Case("two hosts", header: "Host: b", .malformed),
        Case("the same host twice", header: "host: a", .malformed),
        Case("a space before the colon", header: "X : a", .malformed),
        Case("a folded line", header: "X: a\r\n b", .malformed),
        Case("no colon", header: "X", .malformed),
        Case("no name", header: ": a", .malformed),
        Case("a body", header: "Content-Length: 5", .hasBody),
        Case("a strange length", header: "Content-Length: +0", .hasBody),
        Case("two lengths", header: "Content-Length: 0\r\nContent-Length: 5", .malformed),
        Case("pieces", header: "Transfer-Encoding: chunked", .hasBody),
        Case("a line feed alone", header: "X: a\nY: b", .malformed),
        Case("a carriage return alone", header: "X: a\rY: b", .malformed),
        Case("NUL", header: "X: a\0b", .malformed),
        Case("DEL", header: "X: a\u{7F}b", .malformed),
        Case("a TLS hello", "\u{16}\u{03}\u{01}", .malformed),
        Case(
            "too many headers", header: (1...64).map { "X\($0): a" }.joined(separator: "\r\n"), .headTooLong),
        Case("a long header", header: "X: " + String(repeating: "a", count: 8192), .headTooLong),
        Case("a long target", line: "GET /" + String(repeating: "a", count: 9000), .targetTooLong),
        Case("an endless line", String(repeating: "G", count: 20000), .targetTooLong),
    ]

    @Test(arguments: cases, [1, 7, 100_000])
    func table(_ one: Case, pieces: Int) {
        var reader = HTTPRequestReader()
        var result: HTTPRequest?
        var refusal: HTTPRefusal?
        let bytes = Array(one.text.utf8)
        do throws(HTTPRefusal) {
            for start in stride(from: 0, to: bytes.count, by: pieces) where result == nil {
                result = try reader.feed(bytes[start..<min(start + pieces, bytes.count)])
            }
        } catch {
            refusal = error
        }
        #expect(refusal == one.refusal)
        #expect((result != nil) == (one.refusal == nil))
    }

    @Test func whatIsRead() throws {
        var reader = HTTPRequestReader()
        let text =
            "HEAD /events?a=1&token=t%20&b HTTP/1.1\r\nhOsT: \t localhost:1 \t\r\nAuthorization: bearer xyz\r\n\r\nGET /"
        let request = try #require(try reader.feed(Array(text.utf8)))
        #expect(
            request
                == HTTPRequest(
                    isHead: true, path: "/events", query: ["a": "1", "token": "t%20", "b": ""],
                    host: "localhost:1", bearer: "xyz"))
    }

    @Test func itWaitsForTheEnd() throws {
        var reader = HTTPRequestReader()
        #expect(try reader.feed(Array("GET / HTTP/1.1\r\nHost: a\r\n\r".utf8)) == nil)
        #expect(try reader.feed([10])?.path == "/")
    }
}
