enum TopHelp {
    static let lines: [StyledLine] =
        [
            "", StyledLine("Keys", .strong),
            "  up, down, k, j    choose a kernel; Home, End, PageUp, PageDown too",
            "  Enter             its ladder, channels, launch and process",
            "  Esc               back to the list", "  space             pause, and go on",
            "  q                 quit", "",
            StyledLine("Sort by (again: the other way round)", .strong),
        ] + SortKey.allCases.map { StyledLine("  \($0.rawValue)                 \($0.name)") } + [
            "", "NOW is the last round trip of relayd's own heartbeat to the kernel.",
            "The two small graphs are round trip and messages of the last ten minutes.",
        ]
}
