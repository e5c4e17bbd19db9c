import FakeJupyter
import Foundation
import Gate
import Glibc
import RelayLink
import Testing

/// Gates that nobody comes back for.
@Suite(.serialized) struct OrphanTests {
    private func hello(_ gate: GateProcess, orphanSeconds: Int64) throws {
        gate.send(.hello(.init(token: GateProcess.token, orphanSeconds: orphanSeconds)))
        _ = try gate.take { if case .welcome = $0 { true } else { nil } }
    }

    @Test func kernelsEndWithoutALinkAfterAWhile() throws {
        let gate = try GateProcess()
        try hello(gate, orphanSeconds: 1)
        let kernel = try gate.script("k", "trap '' TERM; while :; do sleep 0.1; done").pid
        // As long as there is a link, nothing ends.
        usleep(1_500_000)
        #expect(isAlive(kernel))
        gate.hangUp()
        #expect(try gate.wait() == 0)
        #expect(!isAlive(kernel))
    }

    @Test func whoeverComesBackInTimeFindsThem() throws {
        let gate = try GateProcess()
        try hello(gate, orphanSeconds: 5)
        let kernel = try gate.script("k", "while :; do sleep 0.1; done").pid
        gate.hangUp()
        #expect(waits { gate.linkHasEnded })
        let again = try GateProcess(["--join"], name: gate.name)
        try hello(again, orphanSeconds: 86400)
        usleep(6_000_000)
        #expect(isAlive(kernel))
        #expect(try again.stop() == 0)
        #expect(try gate.wait() == 0)
    }

    // MARK: - On the host

    @Test func aGateApartOutlivesItsClient() throws {
        let client = try GateProcess(["--apart"])
        try hello(client, orphanSeconds: 60)
        let kernel = try client.script("k", "while :; do sleep 0.1; done").pid
        kill(client.pid, SIGKILL)
        _ = try client.wait()
        let again = try GateProcess(["--join"], name: client.name)
        try hello(again, orphanSeconds: 60)
        #expect(try again.stateOfKernels().kernels.map(\.pid) == [kernel])
        // A second one says that there is one already.
        let second = try GateProcess(["--apart"], name: client.name)
        #expect(try second.failure() == "KR-GATE-RUNNING")
        #expect(try again.stop() == 0)
        #expect(waits { !isAlive(kernel) })
    }

    @Test func aKernelIsToldWhereToListen() throws {
        let gate = try GateProcess()
        try hello(gate, orphanSeconds: 60)
        let ports: [String: UInt16] = ["shell": 1, "iopub": 2, "stdin": 3, "control": 4, "hb": 65535]
        let script = "cat \"$JUPYTER_CONNECTION_FILE\"; echo; sleep 60"
        try gate.spawn(
            .init(
                kernel: "k", argv: ["/bin/sh", "-c", script], transport: .tcp,
                listen: .init(ip: "0.0.0.0", ports: ports), key: "k"))
        let text = try gate.output(of: "k", until: "\n")
        let file = try #require(JSON(parsing: Array(text.utf8)).fields)
        #expect(file["ip"]?.text == "0.0.0.0" && file["transport"]?.text == "tcp")
        for (channel, port) in ports { #expect(file["\(channel)_port"]?.integer == Int64(port)) }
        #expect(try gate.stop() == 0)
    }
}
