import FakeJupyter
import KernelRelay
import Testing

/// Behind, a gate lets in only who knows the kernel's name and the token.
@Suite struct GateCredentialsTests {
    private func rig(token: String?) throws -> Rig {
        var back = try PeerAddress.loopback(key: "back")
        back.plain = .init(userPrefix: "kernel-7", password: "the right token")
        var options = RelayOptions()
        options.credentials = token.map { GateCredentials(kernel: "kernel-7", token: $0) }
        return try Rig(back: back, relay: options)
    }

    @Test func nameTheKernelAndTheChannel() throws {
        let rig = try rig(token: "the right token")
        defer { rig.end() }
        let client = try rig.client()
        #expect(try client.ping(timeout: 15_000))
        let logins = rig.kernel.record.logins
        #expect(logins.filter { !$0.accepted } == [])
        #expect(Set(logins.map(\.user)) == Set(PeerChannel.allCases.map { "kernel-7/\($0.rawValue)" }))
        #expect(logins.count == 5)
    }

    @Test(arguments: ["the wrong token", nil])
    func aWrongTokenGetsNothingThrough(_ token: String?) throws {
        let rig = try rig(token: token)
        defer { rig.end() }
        let client = try rig.client(settled: false)
        try client.request("secret_request")
        try client.request("secret_request", on: .control)
        #expect(rig.wait { $0.failedConnects >= 3 })
        #expect(!rig.relay.statistics.connected)
        #expect(rig.relay.statistics.kernelConnections == 0)
        #expect(rig.kernel.record.received.isEmpty)
        #expect(try client.unclaimed(on: .shell).isEmpty)
    }

    /// What could never connect is refused at once, not tried for ever.
    @Test func whatCannotBeUsedIsRefused() throws {
        func refusal(_ kernel: String, _ token: String, curve: Bool = false) throws -> ErrorCode? {
            var back = try PeerAddress.loopback(key: "back")
            if curve { back.curve = .generate() }
            var options = RelayOptions()
            options.credentials = GateCredentials(kernel: kernel, token: token)
            let (front, info) = (try PeerAddress.loopback(key: "front").info(), try back.info())
            do throws(RelayError) {
                try Relay(front: front, back: info, options: options).stop(listening: .zero)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(try refusal("kernel-7", "") == .credentials)
        #expect(try refusal("", "token") == .credentials)
        #expect(try refusal(String(repeating: "k", count: 241), "token") == .credentials)
        #expect(try refusal("kernel-7", String(repeating: "t", count: 256)) == .credentials)
        #expect(try refusal("kernel-7", "token", curve: true) == .credentials)
        #expect(try refusal("kernel-7", "token") == nil)
    }
}
