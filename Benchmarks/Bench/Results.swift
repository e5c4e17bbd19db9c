/// How a number is printed and which way is better.
enum Unit: String {
    case microseconds = "µs"
    case milliseconds = "ms"
    case messagesPerSecond = "msg/s"
    case megabytesPerSecond = "MB/s"
    case microsecondsPerMessage = "µs/msg"
    case megabytes = "MB"
    case percentOfCore = "% of a core"
}

/// Everything measured: for each measure and column, one value a round.
struct Results {
    struct Measure {
        let name: String
        let unit: Unit
        var values: [String: [Double]] = [:]
    }

    private(set) var measures: [Measure] = []
    /// Messages that never came, or came out of order, by column.
    private(set) var lost: [String: Int] = [:]
    private(set) var checked: [String: Int] = [:]

    mutating func add(_ name: String, _ unit: Unit, _ column: String, _ value: Double) {
        if let index = measures.firstIndex(where: { $0.name == name }) {
            measures[index].values[column, default: []].append(value)
        } else {
            measures.append(Measure(name: name, unit: unit, values: [column: [value]]))
        }
    }

    mutating func add(_ outcome: BurstOutcome, _ column: String) {
        checked[column, default: 0] += outcome.received
        lost[column, default: 0] += max(outcome.lost, outcome.outOfOrder)
    }

    func median(_ name: String, _ column: String) -> Double? {
        guard let values = measures.first(where: { $0.name == name })?.values[column], !values.isEmpty else {
            return nil
        }
        return Statistics.median(values)
    }

    /// The ratio of two columns in the same round, then the median over the rounds: drift of the machine from round
    /// to round falls out.
    func ratio(_ name: String, _ column: String, to other: String) -> Double? {
        guard let measure = measures.first(where: { $0.name == name }), let upper = measure.values[column],
            let lower = measure.values[other], !upper.isEmpty, upper.count == lower.count
        else { return nil }
        return Statistics.median(zip(upper, lower).map { $0 / $1 })
    }
}
