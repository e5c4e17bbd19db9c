import Host
import RelayLink

/// Takes out of texts what is nobody's business: keys, tokens, passwords, values of environments.
///
/// Two nets. What is known to be secret goes wherever it stands; and so does what looks like it (`SecretPattern`).
/// Rather too much is taken out than too little.
package struct Redactor: Sendable {
    package static let removed = "[removed]"
    /// The longest first, so that none is left half of.
    private let secrets: [String]
    private let values: [String]

    /// - Parameters:
    ///   - secrets: shorter ones than six bytes stand everywhere, and are left.
    ///   - values: of variables whose names say nothing of a secret. Most of them are versions, languages and names, and
    ///     to take those out wherever they stand would leave nothing to read: only long ones go, and only where they
    ///     stand alone.
    package init(_ secrets: some Sequence<String>, values: some Sequence<String> = []) {
        self.secrets = Self.longestFirst(secrets) { $0.utf8.count >= 6 }
        self.values = Self.longestFirst(values) { $0.utf8.count >= 12 && !$0.hasPrefix("/") }
    }

    private static func longestFirst(
        _ texts: some Sequence<String>, _ counts: (String) -> Bool
    ) -> [String] {
        Set(texts.filter(counts)).sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
    }

    // MARK: - Text

    package func clean(_ text: String) -> String {
        var text = text
        for secret in secrets where text.contains(secret) {
            text = text.replacing(secret, with: Self.removed)
        }
        for value in values { text = Self.without(value, text) }
        return SecretPattern.clean(text)
    }

    /// What a person is to type is of use only as it is.
    private func clean(remedy: String) -> String { Redactor(secrets).clean(remedy) }

    private static func without(_ value: String, _ text: String) -> String {
        var shown = ""
        var rest = text[...]
        while let found = rest.firstRange(of: value) {
            let around = [text[..<found.lowerBound].last, text[found.upperBound...].first]
            let isPart = around.compactMap(\.self).contains { $0.isLetter || $0.isNumber || $0 == "_" }
            shown += rest[..<found.lowerBound] + (isPart ? value : removed)
            rest = rest[found.upperBound...]
        }
        return shown + rest
    }

    // MARK: - Words of a command

    package func clean(argv: [String]) -> [String] {
        var before = ""
        return argv.map { word in
            defer { before = word }
            return clean(word: word, after: before)
        }
    }

    private func clean(word: String, after before: String) -> String {
        let isOption = before.hasPrefix("-") && !before.contains("=")
        if isOption, SecretName.isSecret(before), !word.hasPrefix("-") { return Self.removed }
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        if parts.count == 2, !parts[0].contains(where: \.isWhitespace) {
            let (name, value) = (parts[0], parts[1])
            if Self.takesVariable.contains(name) { return "\(name)=\(clean(word: value, after: name))" }
            let isVariable = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
            if isVariable || Self.takesVariable.contains(before) || SecretName.isSecret(name) {
                return "\(name)=\(Self.removed)"
            }
        }
        // A command within the command, as --cmd and --docker have it.
        if word.contains(where: { $0.isWhitespace || $0 == "[" }), let inner = try? CommandWords.read(word),
            inner != [word]
        {
            return clean(argv: inner).map(ShellWord.quote).joined(separator: " ")
        }
        return clean(word)
    }

    private static let takesVariable: Set = ["--env", "-e"]

    // MARK: - JSON

    package func clean(_ json: JSON) -> JSON {
        switch json {
        case .null, .bool, .whole, .number: json
        case .string(let text): .string(clean(text))
        case .array(let values): .array(values.map { clean($0) })
        case .object(let fields):
            .object(
                Dictionary(
                    fields.map { name, value in (clean(name), clean(value, of: name)) }
                ) { $1 })
        }
    }

    private func clean(_ value: JSON, of name: String) -> JSON {
        switch (name, value) {
        case ("argv", .array(let words)), ("engine", .array(let words)):
            .array(clean(argv: words.map { $0.text ?? "" }).map { .string($0) })
        case ("env", .object(let variables)), ("environment", .object(let variables)):
            .object(variables.mapValues { _ in .string(Self.removed) })
        case ("remedy", .string(let text)), ("command", .string(let text)): .string(clean(remedy: text))
        case ("key", .string), ("token", .string), ("secret", .string), ("password", .string):
            .string(Self.removed)
        // The whole id looks like a key, and its beginning serves people.
        case ("container_id", .string(let id)): .string(clean(String(id.prefix(12))))
        default: clean(value)
        }
    }
}
