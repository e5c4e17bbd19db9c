import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// The relay in front of the multiplexer: both of our own, and neither told about the other.
@Suite(.serialized) struct RelayThroughGateTests {
    @Test func theRelayReachesAKernelBehindTheGate() throws {
        let back = PeerAddress.ipc(prefix: "/tmp/kr-through-\(getpid())", key: "kernel's")
        defer { for number in 1...5 { unlink("\(back.ip)-\(number)") } }
        let rig = try MuxRig(ports: MuxRig.freePorts(5))
        rig.register("k", back)
        let gate = rig.front("k", key: "kernel's")
        let front = try PeerAddress.loopback(key: "notebook's")
        var options = RelayOptions()
        options.credentials = GateCredentials(kernel: "k", token: MuxRig.token)
        let relay = try Relay(
            front: ConnectionInfo(json: Array(front.connectionFileJSON().utf8)),
            back: ConnectionInfo(json: Array(gate.connectionFileJSON().utf8)), options: options)
        // The kernel comes last: the gate holds what the relay has connected until it listens.
        #expect(rig.wait { $0["accepted"] == 5 && $0["strangers"] == 0 })
        let kernel = FakeKernel(back)
        try kernel.start()
        #expect(rig.wait { $0["joined"] == 5 })
        let client = try FakeClient(front)
        try client.settle()
        for round in 0..<20 {
            let id = try client.request("execute_request", content: "{\"code\": \"round \(round)\"}")
            _ = try client.reply(to: id)
            #expect(try client.outputs(of: id).contains { $0.contentText.contains("round \(round)") })
        }
        #expect(try client.ping())
        let flood = try client.ask(
            "flood_request", content: #"{"count": 20000, "size": 500}"#, timeout: 20_000)
        #expect(flood.type == "flood_reply")
        #expect(relay.statistics.failedConnects == 0, "nobody outside had to try twice")
        client.close()
        relay.stop()
        #expect(rig.wait { $0["open"] == 0 })
        rig.stop()
        kernel.stop()
    }
}
