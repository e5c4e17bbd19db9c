/// What the relay is held to, always against another column of the same run.
enum Target {
    case atMost(Double, of: Contestant)
    case atLeast(Double, of: Contestant)
    case below(Double)

    static let all: [(measure: String, target: Target)] = [
        ("shell round trip, 200 B, p50", .atMost(1.05, of: .zmqProxy)),
        ("heartbeat round trip, p50", .atMost(1.05, of: .zmqProxy)),
        ("300 B iopub burst", .atLeast(0.8, of: .zmqProxy)),
        ("300 B iopub burst", .atLeast(6, of: .pyzmq)),
        ("1 MB frames, ends sign and verify", .atLeast(0.65, of: .direct)),
        (DiagnosticsCost.burst, .atLeast(0.99, of: .unwatched)),
        (DiagnosticsCost.processor, .atMost(1.01, of: .unwatched)),
        (DiagnosticsCost.trip, .atMost(1.01, of: .unwatched)),
        ("memory of each of 200 idle relays", .below(1)),
        ("processor, 200 idle relays", .below(1)),
    ]

    struct Verdict {
        let measure: String
        let text: String
        let met: Bool?
    }

    /// Judges the relay's column; nothing is judged where a column is missing.
    func verdict(_ measure: String, _ results: Results) -> Verdict {
        let relay = Contestant.relay.rawValue
        func judged(_ value: Double?, _ rule: String, _ holds: (Double) -> Bool) -> Verdict {
            guard let value else { return Verdict(measure: measure, text: "\(rule): not measured", met: nil) }
            let met = holds(value)
            return Verdict(
                measure: measure, text: "\(met ? "met" : "missed"): \(Report.number(value)) (\(rule))",
                met: met)
        }
        switch self {
        case .atMost(let factor, let other):
            return judged(
                results.ratio(measure, relay, to: other.rawValue),
                "<= \(Report.number(factor)) x \(other.rawValue)"
            ) { $0 <= factor }
        case .atLeast(let factor, let other):
            return judged(
                results.ratio(measure, relay, to: other.rawValue),
                ">= \(Report.number(factor)) x \(other.rawValue)"
            ) { $0 >= factor }
        case .below(let limit):
            return judged(results.median(measure, relay), "< \(Report.number(limit))") { $0 < limit }
        }
    }
}
