/// What must be written so that a screen shows these lines: only those that changed.
package struct Painter: Sendable {
    private var shown: [String] = []

    package init() {}

    /// The screen is not what it was: after a stop, or at another size.
    package mutating func forget() { shown = [] }

    package mutating func paint(_ lines: [String]) -> String {
        var text = ""
        // Everything anew: what stands there is somebody else's.
        if shown.isEmpty { text += "\u{1B}[2J" }
        for (row, line) in lines.enumerated() where !shown.indices.contains(row) || shown[row] != line {
            text += "\u{1B}[\(row + 1);1H\(line)\u{1B}[K"
        }
        if shown.count > lines.count { text += "\u{1B}[\(lines.count + 1);1H\u{1B}[J" }
        shown = lines
        return text
    }
}
