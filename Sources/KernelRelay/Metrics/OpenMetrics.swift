/// The text of OpenMetrics 1.0: families of figures, as Prometheus and its like read them.
package enum OpenMetrics {
    package struct Family: Sendable {
        package enum Kind: String, Sendable { case counter, gauge, histogram, info }

        let name: String
        let kind: Kind
        /// The last word of the name, where it is one.
        let unit: String?
        let help: String
        var samples: [Sample] = []

        package init(_ kind: Kind, _ name: String, unit: String? = nil, _ help: String) {
            (self.name, self.kind, self.unit, self.help) = (name, kind, unit, help)
        }

        /// One figure: what a counter, a gauge or an info is made of.
        package mutating func add(_ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
            let suffix =
                switch kind {
                case .counter: "_total"
                case .info: "_info"
                case .gauge, .histogram: ""
                }
            samples.append(Sample(suffix: suffix, labels: labels.map { ($0.key, $0.value) }, value: value))
        }

        /// How many were no longer than each bound, how many there were, and how long all were together. A bound for each
        /// doubling: those in between would make four times as many figures, and nobody's picture clearer.
        package mutating func add(_ times: Histogram, _ labels: KeyValuePairs<String, String> = [:]) {
            let labels = labels.map { ($0.key, $0.value) }
            var passed: UInt64 = 0
            for (step, count) in times.counts.enumerated() {
                passed += count
                // What is longer than the last step falls into it, so that its end is no bound.
                guard step % 4 == 3, step + 1 < Histogram.steps else { continue }
                let bound = Double(Histogram.end(of: step)) / 1e9
                samples.append(
                    Sample(suffix: "_bucket", labels: labels + [("le", "\(bound)")], value: Double(passed)))
            }
            samples.append(
                Sample(suffix: "_bucket", labels: labels + [("le", "+Inf")], value: Double(passed)))
            samples.append(Sample(suffix: "_count", labels: labels, value: Double(passed)))
            samples.append(Sample(suffix: "_sum", labels: labels, value: Double(times.nanoseconds) / 1e9))
        }
    }

    struct Sample: Sendable {
        let suffix: String
        let labels: [(name: String, value: String)]
        let value: Double
    }

    package static func text(_ families: [Family]) -> String {
        var text = ""
        for family in families {
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            if let unit = family.unit { text += "# UNIT \(family.name) \(unit)\n" }
            text += "# HELP \(family.name) \(escaped(family.help))\n"
            for sample in family.samples {
                let labels = sample.labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(
                    separator: ",")
                text +=
                    "\(family.name)\(sample.suffix)\(labels.isEmpty ? "" : "{\(labels)}") \(number(sample.value))\n"
            }
        }
        return text + "# EOF\n"
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Whole numbers as such: a count of bytes is not to be rounded by who reads `1.2e+19`.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }
}
