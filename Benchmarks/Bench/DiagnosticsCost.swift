/// What it costs that a relay watches its kernel: the same relay with and without, in many short turns that alternate,
/// because the difference is far below what one run differs from the next. A third relay is the first once more: what these
/// two differ by is what the comparison cannot see.
struct DiagnosticsCost {
    static let burst = "diagnostics: 300 B iopub burst"
    static let trip = "diagnostics: shell round trip, p50"
    static let processor = "diagnostics: processor time in the burst"

    let places: Places
    let rounds: Int
    let measures: Measures

    func run(_ results: inout Results) throws {
        let lanes = [
            try Lane(.relay, places, as: "watched"), try Lane(.unwatched, places),
            try Lane(.alike, places, as: "alike"),
        ]
        defer { for lane in lanes { lane.close() } }
        for round in 0..<rounds {
            let turns = lanes.indices.map { lanes[($0 + round) % lanes.count] }
            for lane in round.isMultiple(of: 2) ? turns : turns.reversed() {
                try measures.diagnostics(lane, &results)
            }
        }
    }
}
