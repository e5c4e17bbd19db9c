/// What a terminal can show.
package struct Look: Sendable, Equatable {
    package var colours: Bool
    /// Letters beyond ASCII.
    package var unicode: Bool

    package init(colours: Bool, unicode: Bool) {
        self.colours = colours
        self.unicode = unicode
    }

    /// - Parameter isTerminal: whether it is a terminal at all that is written to.
    package init(environment: [String: String], isTerminal: Bool) {
        let isPlain = environment["TERM"] == "dumb" || !(environment["NO_COLOR"] ?? "").isEmpty
        colours = isTerminal && !isPlain
        // The first that is set counts, as for the C library.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        let name = (locale ?? "").uppercased()
        unicode = name.contains("UTF-8") || name.contains("UTF8")
    }

    package var cutMark: String { unicode ? "…" : "~" }
}
