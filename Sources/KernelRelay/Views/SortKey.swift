/// What a list of kernels is in order of, by the key that chooses it.
package enum SortKey: Character, CaseIterable, Sendable {
    case notebook = "n"
    case container = "c"
    case verdict = "v"
    case roundTrip = "r"
    case memory = "m"
    case rate = "t"
    case uptime = "u"

    package var name: String {
        switch self {
        case .notebook: "notebook"
        case .container: "container"
        case .verdict: "verdict, the worst first"
        case .roundTrip: "round trip, the longest first"
        case .memory: "memory, the most first"
        case .rate: "messages a second, the most first"
        case .uptime: "time since the start, the longest first"
        }
    }

    /// Kernels that are alike in it stay as they were.
    package func sorted(_ kernels: [Reading.Kernel], reversed: Bool) -> [Reading.Kernel] {
        kernels.enumerated().sorted { one, other in
            let order = compare(one.element, other.element)
            if order == 0 { return one.offset < other.offset }
            return reversed ? order > 0 : order < 0
        }.map(\.element)
    }

    /// Below nothing when the first comes first.
    private func compare(_ one: Reading.Kernel, _ other: Reading.Kernel) -> Int {
        switch self {
        case .notebook: Self.ascending(one.notebook ?? "\u{FFFF}", other.notebook ?? "\u{FFFF}")
        case .container: Self.ascending(one.container, other.container)
        case .verdict:
            Self.ascending(VerdictWord.rank(one.verdict.word), VerdictWord.rank(other.verdict.word))
        // One that has no answer is the longest to wait for.
        case .roundTrip: -Self.ascending(one.roundTrip.last ?? .infinity, other.roundTrip.last ?? .infinity)
        case .memory: -Self.ascending(one.process?.memory ?? -1, other.process?.memory ?? -1)
        case .rate: -Self.ascending(one.messageRate ?? -1, other.messageRate ?? -1)
        case .uptime: -Self.ascending(one.uptime ?? -1, other.uptime ?? -1)
        }
    }

    private static func ascending<Value: Comparable>(_ one: Value, _ other: Value) -> Int {
        one < other ? -1 : one > other ? 1 : 0
    }
}
