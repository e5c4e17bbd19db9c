import Host
import Testing

/// Spans of time as people write and read them.
@Suite struct TimeSpanTests {
    private static let good: [(String, Int64)] = [
        ("1", 1000), ("90", 90_000), ("90s", 90_000), ("30m", 1_800_000), ("2h", 7_200_000),
        ("1d", 86_400_000), ("366d", 366 * 86_400_000), ("007", 7000),
    ]

    @Test(arguments: good)
    func read(text: String, milliseconds: Int64) throws {
        #expect(try TimeSpan.read(text, for: "--x") == milliseconds)
    }

    @Test(arguments: [
        "", "0", "0h", "s", "-1", "+1", "1.5h", "1w", "1 h", " 1", "1h30m", "500ms", "367d", "8784h1",
        "9223372036854775807d", "99999999999999999999", "١h",
    ])
    func refused(text: String) {
        #expect(throws: HostError.self) { try TimeSpan.read(text, for: "--x") }
    }

    private static let texts: [(Int64, String)] = [
        (1000, "1 s"), (90_000, "90 s"), (300_000, "5 min"), (7_200_000, "2 h"), (86_400_000, "1 d"),
        (5_400_000, "90 min"), (299_990, "5 min"), (2400, "3 s"), (1, "1 s"),
    ]

    @Test(arguments: texts)
    func shown(milliseconds: Int64, text: String) {
        #expect(TimeSpan.text(milliseconds) == text)
    }
}
