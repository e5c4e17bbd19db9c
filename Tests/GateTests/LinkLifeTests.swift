import FakeJupyter
import Foundation
import Gate
import Glibc
import RelayLink
import Testing

/// Links that come, go, lie, and come again.
@Suite(.serialized) struct LinkLifeTests {
    @Test func aGateSaysWhoItIs() throws {
        let gate = try GateProcess()
        let ports = try MuxRig.freePorts(2)
        let welcome = try gate.hello(ports: ["shell": ports[0], "iopub": ports[0], "hb": ports[1]])
        #expect(welcome.pid == gate.pid && welcome.uid == getuid() && welcome.kernels.isEmpty)
        #expect(welcome.ports == ["shell": ports[0], "iopub": ports[0], "hb": ports[1]])
        let ping = gate.number()
        gate.send(.ping(request: ping))
        _ = try gate.take { if case .pong(ping) = $0 { true } else { nil } }
        _ = try RawSocket(port: ports[1])
        #expect(try gate.stop() == 0)
        #expect(throws: (any Error).self) { try RawSocket(port: ports[0]) }
    }

    @Test func badInputIsAnsweredAndNothingElseHappens() throws {
        let gate = try GateProcess()
        #expect(try gate.refusal(of: .ping(request: 1)) == "KR-GATE-HELLO-FIRST")
        _ = try gate.hello()
        func control(_ text: String) { gate.raw(Frame(payload: Array(text.utf8)).encoded!) }
        control("not JSON")
        #expect(try gate.failure() == "KR-GATE-MESSAGE")
        control(#"{"v": 1, "type": "dance", "request": 9}"#)
        let code: String = try gate.take {
            if case .failed(9, let code, _, _) = $0 { code } else { nil }
        }
        #expect(code == "KR-GATE-MESSAGE-TYPE")
        gate.raw(Frame(stream: 5, payload: [1]).encoded!)
        #expect(try gate.failure() == "KR-GATE-STREAM")
        gate.raw(Frame(payload: []).encoded!)
        #expect(try gate.failure() == "KR-GATE-MESSAGE")
        gate.send(.hello(.init(token: GateProcess.token)))
        #expect(try gate.failure() == "KR-GATE-HELLO-TWICE")
        for vector in ["[", "{", "\"", "\\", "\u{0}", String(repeating: "[", count: 100_000)] {
            control(vector)
            #expect(try gate.failure() == "KR-GATE-MESSAGE")
        }
        let ping = gate.number()
        gate.send(.ping(request: ping))
        _ = try gate.take { if case .pong(ping) = $0 { true } else { nil } }
        #expect(try gate.stop() == 0)
    }

    @Test func anEndlessFrameEndsTheLinkAndNotTheKernels() throws {
        let gate = try GateProcess()
        _ = try gate.hello()
        let kernel = try gate.script("k", "while :; do sleep 1; done").pid
        gate.raw([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
        #expect(try gate.failure() == "KR-GATE-FRAME")
        #expect(waits { gate.linkHasEnded })
        #expect(isAlive(kernel))
        let again = try GateProcess(["--join"], name: gate.name)
        #expect(try again.hello().kernels.map(\.kernel) == ["k"])
        #expect(try again.stop() == 0)
        #expect(try gate.wait() == 0)
    }

    @Test func kernelsOutliveTheirLinkAndAreFoundAgain() throws {
        let gate = try GateProcess()
        _ = try gate.hello()
        let long = try gate.script("long", "echo before; while :; do echo tick; sleep 0.01; done").pid
        let short = try gate.script("short", "sleep 0.5; echo bye; exit 4").pid
        _ = try gate.output(of: "long", until: "tick")
        gate.hangUp()
        #expect(waits { gate.linkHasEnded })
        // Its end is to come while nobody listens, however long that takes.
        #expect(waits { kill(short, 0) != 0 })
        let again = try GateProcess(["--join"], name: gate.name)
        let welcome = try again.hello()
        #expect(welcome.pid == gate.pid)
        let states = Dictionary(uniqueKeysWithValues: welcome.kernels.map { ($0.kernel, $0.state) })
        #expect(states == ["long": .running, "short": .ended])
        let exit = try again.exit(of: "short")
        #expect(exit.cause == .code(4) && exit.tail == Array("bye\n".utf8))
        _ = try again.output(of: "long", until: "tick")
        #expect(isAlive(long))
        // A newer link takes over, and the older one is told.
        let third = try GateProcess(["--join"], name: gate.name)
        _ = try third.hello()
        #expect(try again.failure() == "KR-GATE-LINK-REPLACED")
        #expect(try again.wait() == 0)
        #expect(try third.end("long").left == 0)
        let leave = third.number()
        third.send(.leave(request: leave))
        try third.done(leave)
        #expect(try third.wait() == 0)
        let fourth = try GateProcess(["--join"], name: gate.name)
        _ = try fourth.hello()
        #expect(try fourth.stop() == 0)
        #expect(try fourth.wait() == 0)
        #expect(try gate.wait() == 0)
    }

    @Test func joiningNeedsTheToken() throws {
        let gate = try GateProcess()
        _ = try gate.hello()
        let thief = try GateProcess(["--join"], name: gate.name)
        thief.send(.hello(.init(token: String(repeating: "x", count: 32))))
        #expect(try thief.failure() == "KR-GATE-TOKEN")
        #expect(try thief.wait() == 0)
        let hasty = try GateProcess(["--join"], name: gate.name)
        #expect(try hasty.refusal(of: .stop(request: 1, graceMilliseconds: 0)) == "KR-GATE-HELLO-FIRST")
        let ping = gate.number()
        gate.send(.ping(request: ping))
        _ = try gate.take { if case .pong(ping) = $0 { true } else { nil } }
        #expect(try gate.stop() == 0)
    }

    @Test func nobodyJoinsBeforeTheFirstHello() throws {
        let gate = try GateProcess()
        let early = try GateProcess(["--join"], name: gate.name)
        early.send(.hello(.init(token: String(repeating: "x", count: 32))))
        // Either the gate has closed it, or the name was not there yet.
        #expect([0, 69].contains(try early.wait()))
        _ = try gate.hello()
        #expect(try gate.stop() == 0)
    }

    @Test func withoutAGateJoiningSaysSo() throws {
        #expect(try GateProcess(["--join"], name: "nobody-\(getpid())").wait() == 69)
    }

    @Test func oneGateToAName() throws {
        let gate = try GateProcess()
        _ = try gate.hello()
        let second = try GateProcess(name: gate.name)
        #expect(try second.failure() == "KR-GATE-RUNNING")
        #expect(try second.wait() == 69)
        #expect(try gate.stop() == 0)
    }

    @Test func aPortInUseLetsOneTryAgain() throws {
        let gate = try GateProcess()
        let ports = try MuxRig.freePorts(2)
        let rig = try MuxRig(ports: [ports[0]])
        gate.send(.hello(.init(token: GateProcess.token, ports: ["shell": ports[0]], bind: "127.0.0.1")))
        #expect(try gate.failure() == "KR-GATE-PORT-IN-USE")
        gate.send(.hello(.init(token: GateProcess.token, ports: ["shell": ports[1]], bind: "nowhere")))
        #expect(try gate.failure() == "KR-GATE-ADDRESS")
        #expect(try gate.hello(ports: ["shell": ports[1]]).ports["shell"] == ports[1])
        rig.stop()
        #expect(try gate.stop() == 0)
    }

    @Test func aGateWithoutLinkAndKernelsGoes() throws {
        let gate = try GateProcess()
        _ = try gate.hello(linger: 1)
        try gate.script("k", "sleep 1.5")
        gate.hangUp()
        usleep(1_200_000)
        #expect(isAlive(gate.pid), "while its kernel lives")
        #expect(try gate.wait(within: 4000) == 0)
        let silent = try GateProcess()
        silent.hangUp()
        #expect(try silent.wait() == 0, "nobody can ever join it")
    }

    @Test func aLinkThatDoesNotReadHoldsNobodyUp() throws {
        let gate = try GateProcess()
        _ = try gate.hello()
        // The reader of this rig always reads; a kernel that floods must not starve the answers.
        try gate.script("flood", "while :; do echo 0123456789012345678901234567890123456789; done")
        for _ in 0..<20 {
            let ping = gate.number()
            gate.send(.ping(request: ping))
            _ = try gate.take { if case .pong(ping) = $0 { true } else { nil } }
        }
        #expect(try gate.end("flood").left == 0)
        #expect(try gate.stop() == 0)
    }
}
