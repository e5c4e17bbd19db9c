import RelayLink

/// A command as people write it into a kernel.json: a list as JSON or as Python writes it, or shell words.
///
/// Nothing is expanded and nothing is run: `$HOME`, `|` and `*` are text like any other. Errors never quote the
/// command, which may hold a secret.
package enum CommandWords {
    package static func read(_ text: String) throws(HostError) -> [String] {
        guard !text.utf8.contains(0) else { throw wrong("a NUL in it") }
        let words = try startsList(text) ? list(text) : ShellWords.read(text)
        guard let program = words.first, !program.isEmpty else { throw wrong("it names no program") }
        return words
    }

    private static func startsList(_ text: String) -> Bool {
        text.unicodeScalars.first { !isSpace($0) } == "["
    }

    private static func list(_ text: String) throws(HostError) -> [String] {
        // JSON first: where both can read a list they differ in nothing but `\/` and pairs of surrogates,
        // and only JSON gives those a meaning.
        guard let json = try? JSON(parsing: Array(text.utf8)) else { return try PythonList.read(text) }
        var words: [String] = []
        for element in json.list ?? [] {
            guard let word = element.text else { throw wrong("not everything in the list is a string") }
            guard !word.utf8.contains(0) else { throw wrong("a NUL in it") }
            words.append(word)
        }
        return words
    }

    static func wrong(_ reason: String) -> HostError { HostError(.usage, "a command: \(reason)") }

    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        // A form feed and its like are space to Python and text to a shell; nobody means them.
        [" ", "\t", "\n", "\r"].contains(scalar)
    }
}
