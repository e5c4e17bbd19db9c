import FakeJupyter
import Glibc

/// The table for people and the JSON for scripts, from the same results.
struct Report {
    let results: Results
    let columns: [String]
    let rounds: Int
    let quick: Bool
    let absent: [(column: String, reason: String)]
    let seconds: Double

    private var verdicts: [Target.Verdict] { Target.all.map { $0.target.verdict($0.measure, results) } }

    /// Three significant digits, thousands apart.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let magnitude = abs(value)
        if magnitude >= 100 {
            let digits = Array(String(Int(value.rounded())))
            var text = ""
            for (index, digit) in digits.enumerated() {
                if index > 0 && (digits.count - index) % 3 == 0 && digits[index - 1] != "-" { text += "," }
                text.append(digit)
            }
            return text
        }
        let places = magnitude >= 10 ? 10.0 : magnitude >= 1 ? 100.0 : 1000.0
        let text = "\((value * places).rounded() / places)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    func table() -> String {
        var rows = [["", "unit"] + columns + ["target for the relay"]]
        for measure in results.measures {
            let cells = columns.map { column in
                results.median(measure.name, column).map(Report.number) ?? ""
            }
            let judged = verdicts.filter { $0.measure == measure.name && $0.met != nil }.map(\.text)
            rows.append([measure.name, measure.unit.rawValue] + cells + [judged.joined(separator: "; ")])
        }
        rows.append(
            ["messages counted", ""] + columns.map { Report.number(Double(results.checked[$0] ?? 0)) } + [""])
        rows.append(["lost or out of order", ""] + columns.map { loss($0) } + [""])
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for (index, row) in rows.enumerated() {
            var line = ""
            for (column, cell) in row.enumerated() {
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                let isNumber = column >= 2 && column < row.count - 1
                line += (column == 0 ? "" : "  ") + (isNumber ? gap + cell : cell + gap)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            text += line + "\n"
            if index == 0 {
                text += String(repeating: "-", count: widths.reduce(0) { $0 + $1 + 2 } - 2) + "\n"
            }
        }
        for (column, reason) in absent { text += "\(column) did not take part: \(reason)\n" }
        text +=
            "medians over \(rounds) round\(rounds == 1 ? "" : "s"); ratios within each round, then their median; "
        text += "\(Int(seconds.rounded())) s\n"
        return text
    }

    private func loss(_ column: String) -> String {
        let lost = results.lost[column] ?? 0
        return lost == 0 ? "none" : "LOSES \(lost)"
    }

    func json() -> String {
        func text(_ value: String) -> String { JSONText.quoted(value) }
        func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }
        let measures = results.measures.map { measure in
            let values = columns.compactMap { column -> String? in
                guard let list = measure.values[column], !list.isEmpty else { return nil }
                let median = number(Statistics.median(list))
                return
                    "\(text(column)): {\"median\": \(median), \"rounds\": [\(list.map(number).joined(separator: ", "))]}"
            }
            return "    {\"name\": \(text(measure.name)), \"unit\": \(text(measure.unit.rawValue)), "
                + "\"values\": {\(values.joined(separator: ", "))}}"
        }
        let targets = verdicts.map { verdict in
            let met = verdict.met.map { "\($0)" } ?? "null"
            return
                "    {\"measure\": \(text(verdict.measure)), \"met\": \(met), \"text\": \(text(verdict.text))}"
        }
        let losses = columns.map { "\(text($0)): \(results.lost[$0] ?? 0)" }
        let missing = absent.map { "\(text($0.column)): \(text($0.reason))" }
        return """
            {
              "schema_version": 1,
              "machine": {"processor": \(text(Report.processor)), "cores": \(sysconf(Int32(_SC_NPROCESSORS_ONLN)))},
              "quick": \(quick),
              "rounds": \(rounds),
              "seconds": \(number(seconds)),
              "measures": [
            \(measures.joined(separator: ",\n"))
              ],
              "targets": [
            \(targets.joined(separator: ",\n"))
              ],
              "lost": {\(losses.joined(separator: ", "))},
              "absent": {\(missing.joined(separator: ", "))}
            }

            """
    }

    private static var processor: String {
        guard let file = fopen("/proc/cpuinfo", "r") else { return "unknown" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") {
                return String(text[text.index(after: colon)...].drop { $0 == " " })
            }
        }
        return "unknown"
    }
}
