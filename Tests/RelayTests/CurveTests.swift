import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// CURVE in front, by the keys of a connection file as jupyter_client 8.9 writes it.
@Suite struct CurveTests {
    private func rig() throws -> Rig {
        var front = try PeerAddress.loopback(key: "front")
        front.curve = .generate()
        return try Rig(front: front)
    }

    @Test func letsInWhoHasTheServersKey() throws {
        let rig = try rig()
        defer { rig.end() }
        let client = try rig.client()
        let id = try client.request("execute_request", content: #"{"code": "", "ask": "name?"}"#)
        try client.answer(try #require(try client.next(on: .stdin, timeout: 15_000)), value: "Ada")
        #expect(try client.reply(to: id, timeout: 15_000).type == "execute_reply")
        #expect(try client.outputs(of: id, timeout: 15_000).count == 3)
        #expect(try client.ask("some_request", on: .control, timeout: 15_000).type == "some_reply")
        #expect(try client.ping(timeout: 15_000))
    }

    enum Intruder: CaseIterable {
        case withoutKeys, withAnotherServersKey
    }

    @Test(arguments: Intruder.allCases)
    func letsNobodyElseIn(_ kind: Intruder) throws {
        let rig = try rig()
        defer { rig.end() }
        let client = try rig.client()
        var address = rig.front
        address.curve = kind == .withoutKeys ? nil : .generate()
        let intruder = try FakeClient(address)
        defer { intruder.close() }
        for channel in [PeerChannel.shell, .control, .stdin] {
            try intruder.request("intruders_request", on: channel)
        }
        // Turned away on all four, and perhaps already again.
        for channel in [Channel.shell, .control, .stdin, .iopub] {
            #expect(rig.wait { $0[channel, .toKernel].rejected[.handshake] ?? 0 > 0 })
        }
        #expect(try !intruder.ping(timeout: 300))
        #expect(try client.ask("next_request", timeout: 15_000).type == "next_reply")
        for channel in PeerChannel.allCases {
            #expect(!rig.kernel.record.types(on: channel).contains("intruders_request"))
            if channel != .hb { #expect(try intruder.unclaimed(on: channel).isEmpty) }
        }
        // The relay's own, and none of the intruder's.
        #expect(rig.kernel.record.received[.hb]?.count == 1)
    }

    /// Keys in the kernel's file: the relay is the client there.
    @Test func reachesAKernelThatHasKeys() throws {
        var back = try PeerAddress.loopback(key: "back")
        back.curve = .generate()
        let rig = try Rig(back: back)
        defer { rig.end() }
        let client = try rig.client()
        #expect(try client.ask("some_request", timeout: 15_000).type == "some_reply")
        #expect(try client.ping(timeout: 15_000))
    }

    /// The file itself, on disk, with both keys.
    @Test func takesTheKeysFromAFile() throws {
        var front = try PeerAddress.loopback(key: "front")
        front.curve = .generate()
        let path = "/tmp/kernel-relay-curve-\(getpid())-\(Deadline.now()).json"
        try front.write(to: path)
        defer { unlink(path) }
        let kernel = FakeKernel(try .loopback(key: "back"))
        try kernel.start()
        defer { kernel.stop() }
        let relay = try Relay(
            front: ConnectionInfo(contentsOf: path), back: kernel.address.info(), options: .init())
        defer { relay.stop(listening: .zero) }
        let client = try FakeClient(front)
        defer { client.close() }
        try client.settle()
    }
}
