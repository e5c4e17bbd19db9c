import RelayLink

/// A span of time as people write it: `90` or `90s`, `30m`, `2h`, `1d`.
package enum TimeSpan {
    private static let units: [(letter: Character, name: String, milliseconds: Int64)] = [
        ("d", "d", 86_400_000), ("h", "h", 3_600_000), ("m", "min", 60_000), ("s", "s", 1000),
    ]

    /// In milliseconds.
    package static func read(_ text: String, for option: String) throws(HostError) -> Int64 {
        let unit = units.first { text.last == $0.letter }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard !digits.isEmpty, digits.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
            let number = Int64(digits)
        else { throw wrong(text, option) }
        let (span, isTooLong) = number.multipliedReportingOverflow(by: unit?.milliseconds ?? 1000)
        guard !isTooLong, Lifetimes.range.contains(span) else { throw wrong(text, option) }
        return span
    }

    /// `--idle-timeout` and `--max-lifetime`.
    package static func lifetimes(_ words: inout Arguments) throws(HostError) -> Lifetimes {
        Lifetimes(
            idle: try words.value(idleOption).map { text throws(HostError) in try read(text, for: idleOption)
            },
            most: try words.value(mostOption).map { text throws(HostError) in try read(text, for: mostOption)
            })
    }

    package static let idleOption = "--idle-timeout"
    package static let mostOption = "--max-lifetime"
    package static let options: Set<String> = [idleOption, mostOption]

    private static func wrong(_ text: String, _ option: String) -> HostError {
        HostError(
            .usage,
            "\(option) takes seconds, or 30m, 2h, 1d, from a second to 366 days, not \(printable(text))")
    }

    /// For people: in the largest unit of which it is so many.
    package static func text(_ milliseconds: Int64) -> String {
        for unit in units where milliseconds >= unit.milliseconds && milliseconds % unit.milliseconds == 0 {
            return "\(milliseconds / unit.milliseconds) \(unit.name)"
        }
        // What is left of a time is seldom even.
        return milliseconds < 120_000
            ? "\((milliseconds + 999) / 1000) s" : "\((milliseconds + 30_000) / 60_000) min"
    }
}
