import FakeJupyter
import KernelRelay
import Testing

/// Each side signs in its own way or not at all.
@Suite struct MixedKeysTests {
    struct Side: Sendable, CustomTestStringConvertible {
        var key: String
        var scheme: String
        var testDescription: String { key.isEmpty ? "unsigned" : scheme }

        func address() throws -> PeerAddress {
            var address = try PeerAddress.loopback(key: key)
            address.scheme = scheme
            return address
        }
    }

    private static let pairs: [(Side, Side)] = [
        (Side(key: "", scheme: "hmac-sha256"), Side(key: "k", scheme: "hmac-sha256")),
        (Side(key: "k", scheme: "hmac-sha256"), Side(key: "", scheme: "hmac-sha256")),
        (Side(key: "", scheme: "hmac-sha256"), Side(key: "", scheme: "hmac-sha256")),
        (Side(key: "same", scheme: "hmac-sha256"), Side(key: "same", scheme: "hmac-sha256")),
        (Side(key: "a", scheme: "hmac-sha512"), Side(key: "b", scheme: "hmac-md5")),
        (Side(key: "a", scheme: "hmac-sha1"), Side(key: "a", scheme: "hmac-sha3_256")),
        // Alike on both sides: verified once, and not signed again.
        (Side(key: "a", scheme: "hmac-sha256"), Side(key: "a", scheme: "hmac-sha256")),
        (Side(key: "a", scheme: "hmac-blake2b"), Side(key: "b", scheme: "hmac-blake2s")),
        (
            Side(key: String(repeating: "long", count: 100), scheme: "hmac-sha384"),
            Side(key: "schlüssel", scheme: "hmac-sha224")
        ),
    ]

    @Test(arguments: pairs)
    func pass(_ front: Side, _ back: Side) throws {
        let rig = try Rig(front: front.address(), back: back.address())
        defer { rig.end() }
        let client = try rig.client()
        let reply = try client.ask("some_request", buffers: [[1, 2], []], timeout: 15_000)
        #expect(reply.buffers == [[1, 2], []])
        #expect(reply.signature.isEmpty == front.key.isEmpty)
        #expect(try client.outputs(of: reply.parentID, timeout: 15_000).count == 2)
        #expect(rig.kernel.record.badSignatures == 0)
        let arrived = try #require(rig.kernel.record.messages(on: .shell).last)
        #expect(arrived.signature.isEmpty == back.key.isEmpty)
        #expect(rig.relay.statistics.drops == [])
    }

    /// Without a key nothing is asked for, not even an empty signature; behind it is signed all the same.
    @Test func anUnsignedSideIsNotHeldToASignature() throws {
        let rig = try Rig(front: .loopback(key: ""))
        defer { rig.end() }
        let client = try rig.client()
        let message = SignedMessage("signed_request", session: "s")
        try client.sendRaw(message.frames(for: rig.front.with(key: "whatever")), on: .shell)
        #expect(try client.reply(to: message.id, timeout: 15_000).type == "signed_reply")
        #expect(rig.kernel.record.badSignatures == 0)
    }
}
