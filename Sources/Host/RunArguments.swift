/// Words for an engine's `run`, in the form in which docker takes them, and the variables among them.
///
/// A variable's value goes another way than the other words: with those it would stand in the command line of the
/// engine's client, and in what `inspect` tells everybody.
package enum RunArguments {
    /// A variable: the words that name it, and what it is, as `NAME=VALUE` or `NAME`.
    package struct Variable: Sendable, Equatable {
        package let words: Range<Int>
        package let text: String
        /// How many `=` stand before the variable's own in the last of the words.
        package let signsBefore: Int
    }

    package static func variables(in words: ArraySlice<String>) -> [Variable] {
        var found: [Variable] = []
        var index = words.startIndex
        while index < words.endIndex {
            guard let (inside, signs) = value(of: words[index]) else {
                index += 1
                continue
            }
            let isNext = inside.isEmpty
            let end = index + (isNext ? 2 : 1)
            // An option at the end that lacks its value; the engine says so.
            guard end <= words.endIndex else { break }
            found.append(
                Variable(
                    words: index..<end, text: isNext ? words[index + 1] : inside,
                    signsBefore: isNext ? 0 : signs))
            index = end
        }
        return found
    }

    /// What is left for the engine.
    package static func without(_ variables: [Variable], _ words: ArraySlice<String>) -> [String] {
        words.indices.filter { index in !variables.contains { $0.words.contains(index) } }.map { words[$0] }
    }

    /// The value of the last `--entrypoint`, which is the one that an engine heeds; nothing where there is none.
    package static func entrypoint(in words: [String]) -> String? {
        var found: String?
        for (index, word) in words.enumerated() {
            if word == "--entrypoint", index + 1 < words.count { found = words[index + 1] }
            if word.hasPrefix("--entrypoint=") { found = String(word.dropFirst("--entrypoint=".count)) }
        }
        return found
    }

    /// NVIDIA's part of an engine reads its settings from the container's own environment, where a kernel's come too late.
    /// They are no secrets.
    package static func isForEngine(_ variable: String) -> Bool { variable.hasPrefix("NVIDIA_") }

    /// Of a word that is, or ends in, the option for a variable: the value in it, empty where it is the next word.
    private static func value(of word: String) -> (String, signs: Int)? {
        if word == "--env" { return ("", 0) }
        if word.hasPrefix("--env=") { return (String(word.dropFirst("--env=".count)), 1) }
        guard word.hasPrefix("-"), !word.hasPrefix("--") else { return nil }
        // Options of one letter that take no value may stand before it, as in `-ite NAME`.
        let rest = word.dropFirst().drop { "ditP".contains($0) }
        guard rest.first == "e" else { return nil }
        let inside = rest.dropFirst()
        return inside.hasPrefix("=") ? (String(inside.dropFirst()), 1) : (String(inside), 0)
    }
}
