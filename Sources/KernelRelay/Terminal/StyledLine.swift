/// One line of a screen: pieces of text, each in a style.
package struct StyledLine: Sendable, Equatable, ExpressibleByStringLiteral {
    package enum Style: String, Sendable {
        case plain = ""
        case strong = "1"
        case faint = "2"
        case good = "32"
        case warn = "33"
        case bad = "1;31"
        case chosen = "7"
    }

    private var pieces: [(text: String, style: Style)] = []

    package init() {}
    package init(_ text: String, _ style: Style = .plain) { add(text, style) }
    package init(stringLiteral text: String) { self.init(text) }

    package mutating func add(_ text: String, _ style: Style = .plain) {
        if !text.isEmpty { pieces.append((text, style)) }
    }

    package func adding(_ text: String, _ style: Style = .plain) -> StyledLine {
        var line = self
        line.add(text, style)
        return line
    }

    private func joined(with other: StyledLine) -> StyledLine {
        var line = self
        line.pieces += other.pieces
        return line
    }

    /// The whole line in one style, as wide as the screen.
    package func all(_ style: Style, width: Int) -> StyledLine {
        StyledLine(DisplayWidth.padded(text, to: width), style)
    }

    package var text: String { pieces.map(\.text).joined() }
    package var width: Int { DisplayWidth.of(text) }

    /// What is written to the terminal: never wider than it.
    package func rendered(width: Int, look: Look) -> String {
        var room = width
        var result = ""
        let isCut = self.width > width
        for piece in pieces where room > 0 {
            let whole = DisplayWidth.of(piece.text)
            let text =
                isCut && whole >= room
                ? DisplayWidth.cut(piece.text + (whole == room ? " " : ""), to: room, mark: look.cutMark)
                : piece.text
            room -= whole
            let isStyled = look.colours && piece.style != .plain
            result += isStyled ? "\u{1B}[\(piece.style.rawValue)m\(text)\u{1B}[0m" : text
        }
        while result.last == " " { result.removeLast() }
        return result
    }

    package static func + (one: StyledLine, other: StyledLine) -> StyledLine { one.joined(with: other) }

    package static func == (one: StyledLine, other: StyledLine) -> Bool {
        one.pieces.elementsEqual(other.pieces) { $0.text == $1.text && $0.style == $1.style }
    }
}
