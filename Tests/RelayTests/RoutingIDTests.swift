import FakeJupyter
import KernelRelay
import Testing

/// What the kernel's ROUTERs call the relay: one name for shell and stdin, since a kernel asks its questions under the
/// name that the request came from, and never the same name twice.
@Suite struct RoutingIDTests {
    @Test func isSharedAndNewForEveryConnection() throws {
        let rig = try Rig()
        defer { rig.end() }
        var names: Set<[UInt8]> = []
        for round in 1...3 {
            if round > 1 {
                rig.kernel.stop()
                try rig.kernel.start()
            }
            #expect(rig.wait { $0.kernelConnections == round && $0.connected })
            let client = try rig.client()
            let shell = try rig.route(on: .shell, to: client)
            let stdin = try rig.route(on: .stdin, to: client)
            #expect(shell[0] == stdin[0])
            #expect(shell[1] == client.routingID)
            names.insert(shell[0])
        }
        #expect(names.count == 3)
    }

    @Test func isAnotherForEveryRelay() throws {
        let rig = try Rig()
        defer { rig.end() }
        let other = try Rig(back: rig.back, startKernel: false)
        defer { other.end() }
        let one = try rig.route(on: .shell, to: rig.client())
        let client = try other.client()
        let probe = SignedMessage("probe", session: "probe")
        try client.send(probe, on: .shell)
        #expect(rig.kernel.wait { $0.messages(on: .shell).last?.id == probe.id })
        #expect(rig.kernel.record.received[.shell]?.last?[0] != one[0])
    }
}
