import RelayLink

/// What `hold` was told: when the container is to end by itself.
struct HoldWords {
    private(set) var lifetimes = Lifetimes()
    /// How long it stays when nobody needs a gate in it.
    private(set) var unneeded: Duration?

    var areNone: Bool { lifetimes.areEndless && unneeded == nil }

    init(_ words: [String]) throws(GateError) {
        var rest = words[...]
        while let option = rest.popFirst() {
            guard let seconds = rest.popFirst().flatMap({ Int64($0) }), seconds < 1 << 32,
                Lifetimes.range.contains(seconds * 1000)
            else { throw GateError(.usage, "hold takes --idle, --max and --until-unused, with SECONDS each") }
            switch option {
            case "--idle": lifetimes.idle = seconds * 1000
            case "--max": lifetimes.most = seconds * 1000
            case "--until-unused": unneeded = .seconds(seconds)
            default: throw GateError(.usage, "hold does not know \(printable(option))")
            }
        }
    }
}
