import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// The probe before real gates: it takes the one that knows the kernel, when the kernel listens.
@Suite(.serialized) struct RouteProbeThroughGateTests {
    private func candidate(
        _ ports: [UInt16], _ kernel: String, _ token: String
    ) throws -> RouteProbe.Candidate {
        try RouteProbe.Candidate(
            endpoints: ports.map { "tcp://127.0.0.1:\($0)" },
            credentials: GateCredentials(kernel: kernel, token: token))
    }

    @Test func anotherGateIsNoWay() throws {
        let gate = try GateProcess()
        let ports = try MuxRig.freePorts(1)
        _ = try gate.hello(ports: ["shell": ports[0]])
        for (kernel, token) in [("k", "another token, as long as the one"), ("k", GateProcess.token)] {
            // At once, although there would be an hour; the second for the sake of the kernel, which it never had.
            let result = try RouteProbe.run(
                [candidate(ports, kernel, token)], deadline: .now + .seconds(20))
            #expect(result.outcome == .nothing)
            #expect(result.failures == ["tcp://127.0.0.1:\(ports[0])": .credentials])
        }
        #expect(try gate.stop() == 0)
    }

    /// The gate holds the connection until the kernel listens; any of its ports serves.
    @Test func aKernelThatStartsLateIsFound() throws {
        let back = PeerAddress.ipc(prefix: "/tmp/kr-probed-\(getpid())", key: "k")
        defer { for number in 1...5 { unlink("\(back.ip)-\(number)") } }
        let rig = try MuxRig(ports: MuxRig.freePorts(2))
        let stranger = try MuxRig(ports: MuxRig.freePorts(1))
        rig.register("k", back)
        let kernel = FakeKernel(back)
        let starter = PeerThread {
            usleep(200_000)
            try? kernel.start()
        }
        let result = try RouteProbe.run(
            [
                candidate(stranger.ports, "k", MuxRig.token), candidate(rig.ports, "k", MuxRig.token),
            ], deadline: .now + .seconds(15))
        #expect(result.outcome == .found(1, endpoints: rig.ports.map { "tcp://127.0.0.1:\($0)" }))
        starter.join()
        #expect(rig.wait { $0["open"] == 0 })
        #expect(kernel.record.received.isEmpty)
        rig.stop()
        stranger.stop()
        kernel.stop()
    }

    /// A relay sent to a gate with one port, where five channels share an endpoint.
    @Test func aRelayGoesThroughTheOnePortThatAnswered() throws {
        let back = PeerAddress.ipc(prefix: "/tmp/kr-one-\(getpid())", key: "kernel's")
        defer { for number in 1...5 { unlink("\(back.ip)-\(number)") } }
        let kernel = FakeKernel(back)
        try kernel.start()
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        rig.register("k", back)
        let front = try PeerAddress.loopback(key: "notebook's")
        let relay = try Relay(front: ConnectionInfo(json: Array(front.connectionFileJSON().utf8)))
        let client = try FakeClient(front)
        let id = try client.request("execute_request", content: #"{"code": "1"}"#)
        let credentials = GateCredentials(kernel: "k", token: MuxRig.token)
        guard
            case .found(_, let endpoints) = try RouteProbe.run(
                [candidate(rig.ports, "k", MuxRig.token)], deadline: .now + .seconds(15)
            ).outcome
        else {
            Issue.record("no way")
            return
        }
        let table = Dictionary(uniqueKeysWithValues: Channel.allCases.map { ($0, endpoints[0]) })
        try relay.connect(
            to: KernelAddress(endpoints: table, key: SigningKey("kernel's"), credentials: credentials))
        #expect(try client.reply(to: id, timeout: 15_000).type == "execute_reply")
        #expect(try client.ping(timeout: 10_000))
        client.close()
        relay.stop(listening: .zero)
        #expect(rig.wait { $0["open"] == 0 })
        rig.stop()
        kernel.stop()
    }
}
