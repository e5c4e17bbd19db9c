/// Words as a POSIX shell would tell them apart, quotes and backslashes included.
enum ShellWords {
    static func read(_ text: String) throws(HostError) -> [String] {
        var words: [String] = []
        // Nothing between words: quotes make a word even where they hold nothing.
        var word: String?
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "'":
                word = (word ?? "") + (try singleQuoted(&rest))
            case "\"":
                word = (word ?? "") + (try doubleQuoted(&rest))
            case "\\":
                guard let next = rest.popFirst() else {
                    throw CommandWords.wrong("a backslash with nothing behind it")
                }
                if next != "\n" { word = (word ?? "") + String(next) }
            case _ where CommandWords.isSpace(scalar):
                if let whole = word { words.append(whole) }
                word = nil
            default:
                word = (word ?? "") + String(scalar)
            }
        }
        if let word { words.append(word) }
        return words
    }

    private static func singleQuoted(_ rest: inout Substring.UnicodeScalarView) throws(HostError) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == "'" { return String(text) }
            text.append(scalar)
        }
        throw CommandWords.wrong("a quote is not closed")
    }

    private static func doubleQuoted(_ rest: inout Substring.UnicodeScalarView) throws(HostError) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == "\"" { return String(text) }
            guard scalar == "\\" else {
                text.append(scalar)
                continue
            }
            guard let next = rest.popFirst() else { break }
            switch next {
            case "\n": continue
            // Only before these does a backslash mean anything in there.
            case "$", "`", "\"", "\\": text.append(next)
            default: text.append(contentsOf: [scalar, next])
            }
        }
        throw CommandWords.wrong("a quote is not closed")
    }
}
