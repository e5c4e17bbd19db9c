/// Figures over time in one line of letters, the highest as the tallest.
package enum Sparkline {
    private static let blocks = Array("▁▂▃▄▅▆▇█")
    private static let letters = Array("_.-:=+*#")

    /// - Parameter values: the oldest first; nothing where there was none.
    package static func text(_ values: [Double?], width: Int, look: Look) -> String {
        let columns = squeezed(values, into: width)
        let highest = columns.compactMap(\.self).max() ?? 0
        let levels = look.unicode ? blocks : letters
        let line = columns.map { value -> Character in
            guard let value else { return " " }
            guard highest > 0 else { return levels[0] }
            return levels[min(levels.count - 1, Int(max(0, value) / highest * Double(levels.count)))]
        }
        // What is missing is the past.
        return String(repeating: " ", count: max(0, width - line.count)) + String(line)
    }

    /// The highest of each column's share: a peak is what one looks for.
    static func squeezed(_ values: [Double?], into width: Int) -> [Double?] {
        guard width > 0 else { return [] }
        let sound = values.map { $0.flatMap { $0.isFinite ? $0 : nil } }
        guard sound.count > width else { return sound }
        return (0..<width).map { column in
            let from = column * sound.count / width
            let end = (column + 1) * sound.count / width
            return sound[from..<max(end, from + 1)].compactMap(\.self).max()
        }
    }
}
