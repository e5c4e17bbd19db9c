/// Which columns of a table there is room for, and how wide each is.
package struct ColumnFit: Sendable, Equatable {
    package struct Column: Sendable, Equatable {
        /// What its widest cell would take.
        var natural: Int
        /// Less than this is of no use.
        var least: Int
        /// The lowest goes first; nothing for one that stays in any case.
        var worth: Int?

        package init(natural: Int, least: Int? = nil, worth: Int? = nil) {
            self.natural = natural
            self.least = min(natural, least ?? natural)
            self.worth = worth
        }
    }

    /// By column; nothing where there is no room for it.
    package let widths: [Int?]

    package init(_ columns: [Column], into room: Int?, gap: Int = 2) {
        var kept = Array(columns.indices)
        var widths = columns.map(\.natural)
        func total() -> Int { kept.reduce(0) { $0 + widths[$1] } + gap * max(0, kept.count - 1) }
        func least() -> Int { kept.reduce(0) { $0 + columns[$1].least } + gap * max(0, kept.count - 1) }
        if let room {
            while least() > room,
                let next = kept.filter({ columns[$0].worth != nil }).min(by: {
                    columns[$0].worth! < columns[$1].worth!
                })
            {
                kept.removeAll { $0 == next }
            }
            // The widest gives first, so that long names and not short ones are cut.
            while total() > room,
                let widest = kept.filter({ widths[$0] > columns[$0].least }).max(by: {
                    widths[$0] < widths[$1]
                })
            {
                widths[widest] -= 1
            }
        }
        self.widths = columns.indices.map { kept.contains($0) ? widths[$0] : nil }
    }
}
