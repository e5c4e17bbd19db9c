/// A list of strings as Python writes one: either quote, raw strings, Python's escapes, adjacent literals joined.
struct PythonList {
    private var rest: Substring.UnicodeScalarView

    static func read(_ text: String) throws(HostError) -> [String] {
        var reader = PythonList(rest: text.unicodeScalars[...])
        return try reader.list()
    }

    private mutating func skipSpace() {
        while let scalar = rest.first, CommandWords.isSpace(scalar) { rest.removeFirst() }
    }

    private mutating func list() throws(HostError) -> [String] {
        skipSpace()
        rest.removeFirst()
        var words: [String] = []
        while true {
            skipSpace()
            if rest.first == "]" { break }
            words.append(try element())
            guard let next = rest.popFirst() else { throw CommandWords.wrong("the list is not closed") }
            if next == "]" {
                skipSpace()
                guard rest.isEmpty else { throw Self.behind }
                return words
            }
            guard next == "," else { throw CommandWords.wrong("a comma is missing in the list") }
        }
        rest.removeFirst()
        skipSpace()
        guard rest.isEmpty else { throw Self.behind }
        return words
    }

    private static var behind: HostError { CommandWords.wrong("something stands behind the list") }

    private mutating func element() throws(HostError) -> String {
        var text = try literal()
        skipSpace()
        while let next = rest.first, next != ",", next != "]" {
            text += try literal()
            skipSpace()
        }
        return text
    }

    private mutating func literal() throws(HostError) -> String {
        var isRaw = false
        if let prefix = rest.first, ["r", "R", "u", "U"].contains(prefix) {
            isRaw = prefix == "r" || prefix == "R"
            rest.removeFirst()
        }
        guard let quote = rest.popFirst() else { throw CommandWords.wrong("the list is not closed") }
        guard quote == "'" || quote == "\"" else {
            throw CommandWords.wrong("not everything in the list is a string")
        }
        if rest.prefix(2).elementsEqual([quote, quote]) {
            throw CommandWords.wrong("triple quotes are not understood")
        }
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case quote: return String(text)
            case "\n", "\r": throw CommandWords.wrong("a quote is not closed on its line")
            case "\\" where isRaw:
                // It stays, and keeps the quote behind it from ending the string.
                guard let next = rest.popFirst() else { break }
                text.append(contentsOf: [scalar, next])
            case "\\": try escape(into: &text)
            default: text.append(scalar)
            }
        }
        throw CommandWords.wrong("a quote is not closed")
    }

    private mutating func escape(into text: inout String.UnicodeScalarView) throws(HostError) {
        guard let scalar = rest.popFirst() else { throw CommandWords.wrong("a quote is not closed") }
        switch scalar {
        case "\n": return
        case "\\", "'", "\"": text.append(scalar)
        case "a": text.append("\u{7}")
        case "b": text.append("\u{8}")
        case "f": text.append("\u{C}")
        case "n": text.append("\n")
        case "r": text.append("\r")
        case "t": text.append("\t")
        case "v": text.append("\u{B}")
        case "x": text.append(try number(2))
        case "u": text.append(try number(4))
        case "U": text.append(try number(8))
        case "0"..."7": text.append(try octal(scalar))
        case "N": throw CommandWords.wrong("\\N is not understood")
        // As Python does: an escape that it does not know is no escape.
        default: text.append(contentsOf: ["\\", scalar])
        }
    }

    private mutating func number(_ count: Int) throws(HostError) -> Unicode.Scalar {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let next = rest.popFirst(), next.isASCII, let digit = Character(next).hexDigitValue else {
                throw CommandWords.wrong("an escape with too few digits")
            }
            // Eight digits fill the number exactly.
            value = value << 4 | UInt32(digit)
        }
        return try scalar(value)
    }

    private mutating func octal(_ first: Unicode.Scalar) throws(HostError) -> Unicode.Scalar {
        var value = first.value - 0x30
        for _ in 0..<2 {
            guard let next = rest.first, ("0"..."7").contains(next) else { break }
            value = value << 3 | (next.value - 0x30)
            rest.removeFirst()
        }
        return try scalar(value)
    }

    private func scalar(_ value: UInt32) throws(HostError) -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(value) else { throw CommandWords.wrong("half a character") }
        guard value != 0 else { throw CommandWords.wrong("a NUL in it") }
        return scalar
    }
}
