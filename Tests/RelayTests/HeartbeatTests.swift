import FakeJupyter
import KernelRelay
import Testing

/// The heartbeat tells of the kernel, not of the relay.
@Suite struct HeartbeatTests {
    @Test func comesFromTheKernelOrNotAtAll() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        #expect(try client.ping(timeout: 15_000))
        // The relay's own, before it let requests through, and the client's.
        #expect(rig.kernel.record.received[.hb]?.count == 2)

        rig.kernel.pauseReading([.hb])
        #expect(try !client.ping(timeout: 400))
        rig.kernel.pauseReading([])
        // The answer that came too late is for a socket that was thrown away, and does not confuse the next.
        #expect(try client.ping(timeout: 15_000))

        rig.kernel.stop(abrupt: true)
        #expect(try !client.ping(timeout: 400))
        try rig.kernel.start()
        #expect(rig.wait { $0.kernelConnections == 2 })
        #expect(try client.ping(timeout: 15_000))
    }
}
