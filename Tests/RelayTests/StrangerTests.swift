import FakeJupyter
import KernelRelay
import Testing

/// Whoever finds the ports and does not speak ZMTP: a port scan, a browser, VS Code's probe.
@Suite struct StrangerTests {
    struct Greeting: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
    }

    private static let greetings = [
        Greeting(testDescription: "nothing", bytes: []),
        Greeting(
            testDescription: "HTTP",
            bytes: Array("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".utf8)),
        Greeting(testDescription: "TLS", bytes: [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3] + noise(500)),
        Greeting(testDescription: "noise after a 0", bytes: [0] + noise(4000)),
        Greeting(testDescription: "noise after a 255", bytes: [255] + noise(4000)),
        Greeting(testDescription: "noise", bytes: [0x5A] + noise(4000)),
        Greeting(
            testDescription: "half a greeting", bytes: [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0, 0x4E, 0x55]),
        Greeting(
            testDescription: "a mechanism that there is not",
            bytes: [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NONSENSE".utf8)
                + [UInt8](repeating: 0, count: 44)),
    ]

    /// The same bytes at every run, so that a failure can be had again.
    private static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    @Test(arguments: PeerChannel.allCases, greetings)
    func isCountedAndDoesNoHarm(_ channel: PeerChannel, _ greeting: Greeting) throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let stranger = try RawPeer(rig.front, channel)
        // The relay may hang up in the middle of it.
        try? stranger.write(greeting.bytes)
        stranger.close()

        let lane = Channel(rawValue: channel.rawValue)!
        #expect(rig.wait { $0[lane, .toKernel].rejected.values.reduce(0, +) > 0 })
        #expect(try client.ask("next_request", timeout: 15_000).type == "next_reply")
        #expect(try client.ping(timeout: 10_000))
        #expect(rig.kernel.record.badSignatures == 0)
        #expect(rig.kernel.record.received[.stdin] == nil)
        #expect(rig.kernel.record.received[.control] == nil)
    }
}
