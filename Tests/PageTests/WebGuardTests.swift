import Testing

@testable import KernelRelay

@Suite struct WebGuardTests {
    // MARK: - Addresses

    @Test(arguments: [
        ("0", "127.0.0.1:0"), ("9100", "127.0.0.1:9100"), ("localhost:9100", "127.0.0.1:9100"),
        ("127.0.0.2:1", "127.0.0.2:1"), ("0.0.0.0:65535", "0.0.0.0:65535"), ("[::1]:80", "[::1]:80"),
        ("[0:0::1]:80", "[::1]:80"), ("[::]:0", "[::]:0"), ("192.0.2.7:8080", "192.0.2.7:8080"),
    ])
    func addresses(text: String, authority: String) throws {
        #expect(try WebAddress(text).authority == authority)
    }

    @Test(arguments: [
        "", ":", "x", "-1", "65536", "9100 ", "+1", "1:", "127.0.0.1:", "127.0.0.1", "::1:80", "[::1]",
        "[::1:80",
        "box:80", "127.1:80", "0x7f.0.0.1:80", "127.0.0.1.:80", "127.0.0.1\0:80", "[127.0.0.1]:80", "[]:80",
        "http://127.0.0.1:80", "[fe80::1%lo]:80", "٣:80", "localhost:٣",
    ])
    func noAddresses(text: String) {
        #expect { try WebAddress(text) } throws: { ($0 as? RelayError)?.code == .pageAddress }
    }

    @Test(arguments: [
        ("127.0.0.1:1", true), ("127.9.9.9:1", true), ("[::1]:1", true), ("0.0.0.0:1", false),
        ("[::]:1", false),
        ("10.0.0.1:1", false), ("[::ffff:127.0.0.1]:1", false),
    ])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try WebAddress(text).isLoopback == isLoopback)
    }

    // MARK: - Host

    struct Case: Sendable, CustomTestStringConvertible {
        let bound: String
        let host: String
        let passes: Bool
        var testDescription: String { "\(host) at \(bound)" }

        init(_ bound: String, _ host: String, _ passes: Bool) {
            (self.bound, self.host, self.passes) = (bound, host, passes)
        }
    }

    static let hosts: [Case] = [
        Case("127.0.0.1:9100", "127.0.0.1:9100", true),
        Case("127.0.0.1:9100", "localhost:9100", true),
        Case("127.0.0.1:9100", "LocalHost:9100", true),
        Case("127.0.0.1:9100", "[::1]:9100", true),
        Case("127.0.0.1:9100", "[0:0:0:0:0:0:0:1]:9100", true),
        Case("127.0.0.2:9100", "127.0.0.2:9100", true),
        Case("[::1]:9100", "[::1]:9100", true),
        Case("127.0.0.1:80", "localhost", true),

        Case("127.0.0.1:9100", "localhost", false),
        Case("127.0.0.1:9100", "localhost:9101", false),
        Case("127.0.0.1:9100", "localhost:", false),
        Case("127.0.0.1:9100", "localhost:9100:9100", false),
        Case("127.0.0.1:9100", "localhost.:9100", false),
        Case("127.0.0.1:9100", "evil.example:9100", false),
        Case("127.0.0.1:9100", "127.0.0.1.evil.example:9100", false),
        Case("127.0.0.1:9100", "127.0.0.3:9100", false),
        Case("127.0.0.1:9100", "192.0.2.7:9100", false),
        Case("127.0.0.1:9100", "box:9100", false),
        Case("127.0.0.1:9100", "", false),
        Case("127.0.0.1:9100", ":9100", false),
        Case("127.0.0.1:9100", "user@localhost:9100", false),
        Case("127.0.0.1:9100", "[::1:9100", false),
        Case("127.0.0.1:9100", "[localhost]:9100", false),
        Case("127.0.0.1:9100", "2130706433:9100", false),
    ]

    @Test(arguments: hosts)
    func host(_ one: Case) throws {
        let door = WebGuard(try WebAddress(one.bound), token: nil)
        #expect(door.knows(one.host) == one.passes)
        let request = HTTPRequest(path: "/", host: one.host)
        if one.passes {
            try door.check(request)
        } else {
            #expect(throws: HTTPRefusal.wrongHost) { try door.check(request) }
        }
    }

    // MARK: - Token

    @Test(
        arguments: [
            (["token": "sesame"], nil, true), ([:], "sesame", true), (["token": "wrong"], "sesame", true),
            ([:], nil, false), (["token": ""], nil, false), (["token": "sesam"], nil, false),
            (["token": "sesame1"], nil, false), (["token": "Sesame"], nil, false),
            (["t": "sesame"], nil, false),
            ([:], "", false),
        ] as [([String: String], String?, Bool)])
    func token(query: [String: String], bearer: String?, passes: Bool) throws {
        let door = WebGuard(try WebAddress("192.0.2.7:9100"), token: WebToken("sesame"))
        let request = HTTPRequest(path: "/", query: query, host: "192.0.2.7:9100", bearer: bearer)
        if passes {
            try door.check(request)
        } else {
            #expect(throws: HTTPRefusal.tokenMissing) { try door.check(request) }
        }
        // A host may have many names. The token decides, whichever was used.
        for name in ["box.example.org:9100", "evil.example", ""] {
            var elsewhere = request
            elsewhere.host = name
            if passes {
                try door.check(elsewhere)
            } else {
                #expect(throws: HTTPRefusal.tokenMissing) { try door.check(elsewhere) }
            }
        }
    }

    @Test func tokensDiffer() {
        let tokens = Set((0..<100).map { _ in WebToken.random().text })
        #expect(tokens.count == 100 && tokens.allSatisfy { $0.utf8.count == 48 })
    }
}
