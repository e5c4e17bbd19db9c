import FakeJupyter
import KernelRelay
import Testing

/// A message that must not pass, and what it is counted as.
struct Breakage: Sendable, CustomTestStringConvertible {
    let name: String
    let reason: Rejection
    /// The frames behind the identities or the topic.
    let tail: @Sendable (PeerAddress) -> [[UInt8]]

    var testDescription: String { name }

    private static func good(_ address: PeerAddress) -> [[UInt8]] {
        SignedMessage("broken_request", session: "breaker").frames(for: address)
    }

    static let all: [Breakage] = [
        Breakage(name: "another key", reason: .badSignature) { good($0.with(key: "another")) },
        Breakage(name: "one digit of the signature", reason: .badSignature) {
            var frames = good($0)
            frames[1][0] = frames[1][0] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            return frames
        },
        Breakage(name: "half a signature", reason: .badSignature) {
            var frames = good($0)
            frames[1].removeLast(32)
            return frames
        },
        Breakage(name: "a signature in capitals", reason: .badSignature) {
            var frames = good($0)
            frames[1] = Array(String(decoding: frames[1], as: UTF8.self).uppercased().utf8)
            return frames
        },
        Breakage(name: "no signature", reason: .missingSignature) {
            var frames = good($0)
            frames[1] = []
            return frames
        },
        Breakage(name: "content changed", reason: .badSignature) {
            var frames = good($0)
            frames[5].append(32)
            return frames
        },
        Breakage(name: "no delimiter", reason: .missingDelimiter) { Array(good($0).dropFirst()) },
        Breakage(name: "three parts", reason: .missingParts) { Array(good($0).dropLast()) },
        Breakage(name: "the delimiter alone", reason: .missingParts) { _ in [SignedMessage.delimiter] },
        Breakage(name: "one empty frame", reason: .missingDelimiter) { _ in [[]] },
        Breakage(name: "empty frames", reason: .missingDelimiter) { _ in Array(repeating: [], count: 7) },
        Breakage(name: "empty parts", reason: .missingSignature) { _ in
            [SignedMessage.delimiter] + Array(repeating: [], count: 5)
        },
        Breakage(name: "10,000 frames", reason: .tooManyFrames) {
            good($0) + Array(repeating: [1], count: 10_000 - 6)
        },
    ]
}
