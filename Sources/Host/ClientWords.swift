/// The words of an engine's client, as they may be shown: whoever wrote them knows the values of variables and the
/// passwords in them, and nobody else needs to.
package enum ClientWords {
    package static func masked(_ words: [String]) -> [String] {
        var before = ""
        return words.map { word in
            defer { before = word }
            let isValue =
                before.hasPrefix("-") && !before.contains("=") && !word.hasPrefix("-")
                && SecretName.isSecret(before)
            return isValue ? "..." : masked(word)
        }
    }

    package static func masked(_ word: String) -> String {
        guard let sign = valueSign(word) else { return withoutPasswords(word) }
        return "\(word[...sign])..."
    }

    /// The `=` behind the first NAME in a word, which may stand in an option or in a shell's line: the rest is its
    /// value, as far as one can tell. An option's own value is one where its name is a secret's.
    private static func valueSign(_ word: String) -> String.Index? {
        var start = word.startIndex
        for index in word.indices {
            let character = word[index]
            if character == "=" {
                let name = word[start..<index]
                let isVariable = name.first.map { $0.isLetter || $0 == "_" } ?? false
                if isVariable || SecretName.isSecret(String(name)) { return index }
            }
            // Within an option's or an address's name nothing begins.
            let isPart = character.isLetter || character.isNumber || "_-./:?&@".contains(character)
            if !isPart { start = word.index(after: index) }
        }
        return nil
    }

    /// Without what stands between `//` and the last `@` of an address.
    package static func withoutPasswords(_ text: String, mask: String = "...") -> String {
        var shown = ""
        var rest = text[...]
        while let start = afterScheme(in: rest) {
            let address = rest[start...].prefix { !$0.isWhitespace && !"\"'<>".contains($0) }
            shown += rest[..<start]
            if let at = address.lastIndex(of: "@") {
                shown += "\(mask)\(address[at...])"
            } else {
                shown += address
            }
            rest = rest[address.endIndex...]
        }
        return shown + rest
    }

    /// Where an address goes on behind its first `://`. By hand: a search for a text would bring the whole of the standard
    /// library's regular expressions into the shim.
    private static func afterScheme(in text: Substring) -> String.Index? {
        let bytes = text.utf8
        var place = bytes.startIndex
        while place < bytes.endIndex {
            if bytes[place...].starts(with: "://".utf8) { return bytes.index(place, offsetBy: 3) }
            place = bytes.index(after: place)
        }
        return nil
    }
}
