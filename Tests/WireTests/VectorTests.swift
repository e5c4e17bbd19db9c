import CZMQ
import Foundation
import Ground
import KernelRelay
import Testing

/// The messages in `protocol/vectors`, made by jupyter_client, on the way that every message takes: off a
/// socket, through the seal, back to bytes.
@Suite struct VectorTests {
    struct File: Decodable { let vectors: [Vector] }

    struct Vector: Decodable, CustomTestStringConvertible {
        struct Resigned: Decodable {
            let scheme: String
            let key: String
            let signature: String
        }
        struct Expectation: Decodable {
            let accept: Bool
            let reason: Rejection?
            let identities: Int?
            let buffers: Int?
            let resigned: Resigned?
        }
        let name: String
        let scheme: String
        let key: String
        let routed: Bool
        let frames: [String]
        /// The last frame stands this often.
        let repeatFrame: Int?
        let expect: Expectation

        var testDescription: String { name }

        var bytes: [[UInt8]] {
            let once = frames.map(unhex)
            return once + Array(repeating: once[once.count - 1], count: (repeatFrame ?? 1) - 1)
        }
    }

    static let vectors: [Vector] = {
        do {
            return try JSONDecoder().decode(
                File.self, from: Repository.file("protocol/vectors/messages.json")
            ).vectors
        } catch {
            Issue.record("the vectors cannot be read: \(error)")
            return []
        }
    }()

    @Test func thereAreVectors() { #expect(Self.vectors.count >= 90) }

    @Test(arguments: vectors)
    func passesOrIsRefused(_ vector: Vector) throws {
        let outcome = try sealed(vector)
        guard vector.expect.accept, let resigned = vector.expect.resigned else {
            #expect(outcome == .refused(try #require(vector.expect.reason)))
            return
        }
        // Everything is as it was but the signature, which stands behind the identities and the delimiter.
        var expected = vector.bytes
        expected[try #require(vector.expect.identities) + 1] = Array(resigned.signature.utf8)
        #expect(outcome == .passed(expected))
    }

    enum Outcome: Equatable {
        case passed([[UInt8]])
        case refused(Rejection)
    }

    private func sealed(_ vector: Vector) throws -> Outcome {
        let context = try Context()
        let sender = try Socket(.pair, in: context)
        let receiver = try Socket(.pair, in: context)
        try receiver.set(ZMQ_RCVHWM, 0)
        try sender.set(ZMQ_SNDHWM, 0)
        try receiver.bind("inproc://vector")
        try sender.connect("inproc://vector")
        let bytes = vector.bytes
        for (index, frame) in bytes.enumerated() {
            let flags = index + 1 < bytes.count ? ZMQ_SNDMORE : 0
            #expect(zmq_send(sender.handle, frame, frame.count, flags) == frame.count)
        }

        var frames = Frames()
        switch frames.receive(from: receiver.handle) {
        case .nothing: throw Absent()
        case .refused: return .refused(.tooManyFrames)
        case .message: break
        }
        let resigned = vector.expect.resigned
        var seal = try Seal(
            from: side(scheme: vector.scheme, key: vector.key),
            to: side(scheme: resigned?.scheme ?? "hmac-sha256", key: resigned?.key ?? "another"))
        if let reason = seal.begin(frames, routed: vector.routed) { return .refused(reason) }
        // A byte at a time shows that the pieces do not matter.
        while true {
            var allowance = 1
            switch seal.advance(&frames, allowance: &allowance) {
            case .unfinished: continue
            case .refused(let reason): return .refused(reason)
            case .sealed:
                return .passed(
                    (0..<frames.count).map {
                        Array(UnsafeRawBufferPointer(start: frames.bytes($0), count: frames.size($0)))
                    })
            }
        }
    }

    struct Absent: Error {}

    private func side(scheme: String, key: String) throws -> Seal.Side {
        (try #require(SignatureScheme(scheme)), SigningKey(key))
    }
}
