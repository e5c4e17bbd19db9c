import RelayLink

/// Words of a command line, taken apart one option at a time; what nobody took is refused at the end.
///
///     var arguments = Arguments(words, options: ["--name", "--env"], flags: ["--json"])
///     let name = try arguments.value("--name")
///     let image = try arguments.operand("IMAGE")
///     try arguments.finish()
package struct Arguments: Sendable {
    /// What stood behind `--`, untouched.
    package let rest: [String]
    private var values: [String: [String]] = [:]
    private var flags: Set<String> = []
    private var operands: [String] = []

    /// - Parameters:
    ///   - options: those that take a value, as `--name VALUE` or `--name=VALUE`; `-f` too.
    ///   - flags: those that take none.
    package init(_ words: [String], options: Set<String> = [], flags known: Set<String> = [])
        throws(HostError)
    {
        var words = words[...]
        var behind: [String] = []
        while let word = words.popFirst() {
            if word == "--" {
                behind = Array(words)
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if known.contains(name), parts.count == 1 {
                flags.insert(name)
            } else if options.contains(name) {
                guard let value = parts.count == 2 ? String(parts[1]) : words.popFirst() else {
                    throw HostError(.usage, "\(name) needs a value")
                }
                values[name, default: []].append(value)
            } else {
                throw HostError(.usage, "unknown option \(printable(word))")
            }
        }
        rest = behind
    }

    package mutating func flag(_ name: String) -> Bool { flags.remove(name) != nil }

    package mutating func values(_ name: String) -> [String] { values.removeValue(forKey: name) ?? [] }

    /// The one value of an option that may stand once.
    package mutating func value(_ name: String) throws(HostError) -> String? {
        let all = values(name)
        if all.count > 1 { throw HostError(.usage, "\(name) stands twice") }
        return all.first
    }

    package mutating func operand() -> String? { operands.isEmpty ? nil : operands.removeFirst() }

    package mutating func operand(_ name: String) throws(HostError) -> String {
        guard let word = operand() else { throw HostError(.usage, "\(name) is missing") }
        return word
    }

    /// Refuses what was not taken.
    package func finish() throws(HostError) {
        if let word = operands.first { throw HostError(.usage, "unexpected \(printable(word))") }
        if let name = values.keys.sorted().first ?? flags.sorted().first {
            throw HostError(.usage, "\(name) does not belong here")
        }
    }
}
