import FakeJupyter
import KernelRelay
import Testing

/// One of the five ports belongs to somebody else.
@Suite struct PortInUseTests {
    @Test(arguments: PeerChannel.allCases)
    func isSaidAndNothingStaysBound(_ channel: PeerChannel) throws {
        let front = try PeerAddress.loopback(key: "front")
        let kernel = FakeKernel(try .loopback(key: "back"))
        try kernel.start()
        defer { kernel.stop() }
        do {
            let owner = try TakenPorts(front, [channel])
            let error = #expect(throws: RelayError.self) {
                try Relay(front: front.info(), back: kernel.address.info())
            }
            #expect(error?.code == .portInUse)
            #expect(error?.description.hasPrefix("KR-PORT-IN-USE") == true)
            #expect(error?.description.contains(front.endpoint(channel)) == true)
            _ = try TakenPorts(front, PeerChannel.allCases.filter { $0 != channel })
            withExtendedLifetime(owner) {}
        }
        // And when the owner has gone, the same relay starts.
        let relay = try Relay(front: front.info(), back: kernel.address.info())
        relay.stop(listening: .zero)
    }
}
