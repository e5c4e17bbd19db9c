import RelayLink

/// An event as a line: the time, the event's words, then `name=value`, the kernel first and the others in order.
package enum LogLine {
    package static func text(_ entry: LogEntry) -> String {
        var words = [entry.time, entry.event]
        if let kernel = entry.kernel { words.append("kernel=\(quoted(kernel))") }
        for (name, value) in entry.facts.sorted(by: { $0.key < $1.key }) {
            words.append("\(name)=\(quoted(value))")
        }
        return words.joined(separator: " ")
    }

    /// What `text` wrote; nothing for a line that somebody else wrote into the file.
    package static func entry(_ line: String) -> LogEntry? {
        var rest = line[...]
        guard let time = word(&rest), time.contains("T"), time.hasSuffix("Z") else { return nil }
        var entry = LogEntry(time: time, event: "")
        var event: [String] = []
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(where: { $0 == "=" || $0 == " " }), rest[equals] == "=" else {
                guard entry.facts.isEmpty, entry.kernel == nil, let next = word(&rest) else { return nil }
                event.append(next)
                continue
            }
            let name = String(rest[..<equals])
            rest = rest[rest.index(after: equals)...]
            guard let value = value(&rest) else { return nil }
            if name == "kernel" { entry.kernel = value } else { entry.facts[name] = value }
        }
        guard !event.isEmpty else { return nil }
        entry.event = event.joined(separator: " ")
        return entry
    }

    // MARK: - Values

    private static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") }
        if isPlain { return value }
        var text = ""
        for scalar in value.unicodeScalars {
            // One event is one line, whatever a container is called, and does nothing to a terminal.
            if isSafe(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                text += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return "\"\(text)\""
    }

    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        scalar != "\"" && scalar != "\\" && scalar.isPrintable
    }

    private static func word(_ rest: inout Substring) -> String? {
        let end = rest.firstIndex(of: " ") ?? rest.endIndex
        let word = String(rest[..<end])
        rest = rest[end...].drop { $0 == " " }
        return word.isEmpty ? nil : word
    }

    private static func value(_ rest: inout Substring) -> String? {
        guard rest.first == "\"" else { return word(&rest) ?? "" }
        var scalars = rest.unicodeScalars.dropFirst()
        var value = ""
        while let scalar = scalars.popFirst() {
            if scalar == "\"" {
                rest = Substring(scalars).drop { $0 == " " }
                return value
            }
            guard scalar == "\\" else {
                value.unicodeScalars.append(scalar)
                continue
            }
            guard let end = scalars.firstIndex(of: "}"), Substring(scalars).hasPrefix("u{"),
                let number = UInt32(String(scalars[..<end]).dropFirst(2), radix: 16),
                let escaped = Unicode.Scalar(number)
            else { return nil }
            value.unicodeScalars.append(escaped)
            scalars = scalars[end...].dropFirst()
        }
        return nil
    }
}
