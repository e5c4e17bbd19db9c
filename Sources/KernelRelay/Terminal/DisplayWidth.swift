/// How many columns of a terminal a text takes.
///
/// Names come from strangers. What is not printable has been replaced before (`RelayLink.printable`); what stays may
/// still be wide, as East Asian letters and emoji are, or without a width of its own, as accents are.
package enum DisplayWidth {
    package static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

    /// A letter with all that combines with it.
    package static func of(_ character: Character) -> Int {
        character.unicodeScalars.reduce(0) { max($0, of($1)) }
    }

    static func of(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x7F { return scalar.value < 0x20 ? 0 : 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return isWide(scalar) ? 2 : 1
        }
    }

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x1100 { return false }
        return scalar.properties.isEmojiPresentation || wide.contains { $0.contains(scalar.value) }
    }

    /// Where Unicode's East_Asian_Width is Wide or Fullwidth, besides emoji; unassigned letters between counted in.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F,
        0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
        0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F265, 0x20000...0x2FFFD, 0x30000...0x3FFFD,
    ]

    /// The beginning of a text that fits, with a mark where something is missing.
    package static func cut(_ text: String, to width: Int, mark: String = "…") -> String {
        if of(text) <= width { return text }
        let room = width - of(mark)
        if room < 0 { return "" }
        return beginning(of: text, width: room) + mark
    }

    package static func beginning(of text: String, width: Int) -> String {
        var result = ""
        var taken = 0
        for character in text {
            let next = of(character)
            if taken + next > width { break }
            taken += next
            result.append(character)
        }
        return result
    }

    package static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
        let gap = String(repeating: " ", count: max(0, width - of(text)))
        return right ? gap + text : text + gap
    }

    /// A text in lines, broken between words where that is possible.
    package static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            var rest = String(word)
            if !line.isEmpty, of(line) + 1 + of(rest) > width {
                lines.append(line)
                line = ""
            }
            // Longer than a whole line.
            while line.isEmpty, of(rest) > max(width, 2) {
                let piece = beginning(of: rest, width: max(width, 2))
                lines.append(piece)
                rest.removeFirst(piece.count)
            }
            line += line.isEmpty ? rest : " " + rest
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
