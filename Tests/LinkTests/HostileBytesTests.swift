import RelayLink
import Testing

/// Whatever arrives, nothing traps. The random numbers are the same at every run.
@Suite struct HostileBytesTests {
    struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    @Test func damagedMessagesAreRefusedOrRead() {
        var dice = Dice(state: 42)
        let seeds = LinkVectorTests.messages.map { Array($0.json.utf8) }
        for seed in seeds {
            for _ in 0..<150 {
                var bytes = seed
                for _ in 0..<Int.random(in: 1...4, using: &dice) where !bytes.isEmpty {
                    let index = bytes.indices.randomElement(using: &dice)!
                    switch Int.random(in: 0..<3, using: &dice) {
                    case 0: bytes[index] = UInt8.random(in: 0...255, using: &dice)
                    case 1: bytes.remove(at: index)
                    default: bytes.insert(bytes.randomElement(using: &dice)!, at: index)
                    }
                }
                _ = try? GateRequest(json: bytes)
                _ = try? GateReport(json: bytes)
            }
        }
    }

    @Test func randomBytesNeverHoldMoreThanOneFrame() {
        var dice = Dice(state: 7)
        for _ in 0..<300 {
            var decoder = FrameDecoder()
            var count = 0
            for _ in 0..<20 {
                decoder.feed((0..<64).map { _ in UInt8.random(in: 0...3, using: &dice) })
                while let frame = try? decoder.next() {
                    count += frame.payload.count
                    #expect(frame.payload.count <= Frame.largestPayload)
                }
            }
            #expect(count <= 20 * 64)
        }
    }

    @Test func base64IsExact() {
        for length in 0..<200 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        for text in ["A", "AA", "AAA", "====", "A===", "AA=A", "AAAA=", "AA==AAAA", "A\u{e9}A=", "AB=="] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }

    @Test func strangersTextCannotMoveTheCursor() {
        #expect(printable("a\u{1b}[2J\nb\u{202e}c\u{0}") == "a?[2J?b?c?")
        #expect(printable(String(repeating: "x", count: 200)).count == 123)
    }
}
