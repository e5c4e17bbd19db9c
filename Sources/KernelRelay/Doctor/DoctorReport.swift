import RelayLink

/// What came of an examination, for people and for programs.
package struct DoctorReport: Sendable {
    package static let schemaVersion: Int64 = 1

    package let entries: [Examination.Entry]
    package let container: String?
    /// The containers that run, as a hint where none was named.
    package var running: [String] = []

    package init(entries: [Examination.Entry], container: String?, running: [String] = []) {
        self.entries = entries
        self.container = container
        self.running = running
    }

    package var isHealthy: Bool { !entries.contains { $0.finding.mark == .bad } }

    package var json: JSON {
        [
            "schema_version": .whole(Self.schemaVersion), "healthy": .bool(isHealthy),
            "container": container.map { .string($0) } ?? .null,
            "checks": .array(entries.map(Self.json)), "running": .array(running.map { .string($0) }),
        ]
    }

    private static func json(_ entry: Examination.Entry) -> JSON {
        let finding = entry.finding
        return [
            "name": .string(entry.name), "mark": .string(finding.mark.rawValue),
            "text": .string(finding.text),
            "remedy": finding.remedy.map { .string($0) } ?? .null,
            "code": finding.code.map { .string($0) } ?? .null,
            "because": entry.because.map { .string($0) } ?? .null, "milliseconds": tenths(entry.milliseconds),
            "phases": .array(
                finding.phases.map { ["name": .string($0.name), "milliseconds": tenths($0.milliseconds)] }),
        ]
    }

    private static func tenths(_ milliseconds: Double) -> JSON { .number((milliseconds * 10).rounded() / 10) }

    /// The lines of one check, fit for a terminal: what it found may be a container's own words.
    package static func lines(_ entry: Examination.Entry, colours: Bool) -> [String] {
        let finding = entry.finding
        func shown(_ text: String) -> String { RelayLink.printable(text, limit: 2000) }
        let gap = String(repeating: " ", count: max(1, 18 - entry.name.count))
        let margin = String(repeating: " ", count: 20)
        var lines = ["\(sign(finding.mark, colours)) \(entry.name)\(gap)\(shown(finding.text))"]
        if !finding.phases.isEmpty {
            lines.append(
                margin
                    + finding.phases.map { "\(shown($0.name)) \(Self.shown($0.milliseconds))" }.joined(
                        separator: ", "))
        }
        if let remedy = finding.remedy.map(shown) {
            lines.append("\(margin)\(colours ? "\u{1B}[1m\(remedy)\u{1B}[0m" : remedy)")
        }
        return lines
    }

    private static func shown(_ milliseconds: Double) -> String {
        milliseconds < 10 ? "\((milliseconds * 10).rounded() / 10) ms" : "\(Int(milliseconds.rounded())) ms"
    }

    private static func sign(_ mark: Check.Mark, _ colours: Bool) -> String {
        let (sign, colour) =
            switch mark {
            case .good: ("✓", 32)
            case .warning: ("!", 33)
            case .bad: ("✗", 31)
            case .skipped: ("–", 2)
            }
        return colours ? "\u{1B}[\(colour)m\(sign)\u{1B}[0m" : sign
    }

    /// The last line: how many of each.
    package var summary: String {
        func count(_ mark: Check.Mark) -> Int { entries.count { $0.finding.mark == mark } }
        let parts = [
            (count(.good), "good"), (count(.warning), "to look at"), (count(.bad), "failed"),
            (count(.skipped), "skipped"),
        ]
        return parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}
