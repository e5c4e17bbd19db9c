/// Names that a person may have meant.
package enum NearestNames {
    /// At most three, the nearest first: what differs in a few letters, or begins or ends alike.
    package static func of(_ wanted: String, among names: [String]) -> [String] {
        let wanted = Array(wanted.lowercased().unicodeScalars.prefix(longest))
        let ranked = names.compactMap { name -> (name: String, distance: Int)? in
            let other = Array(name.lowercased().unicodeScalars.prefix(longest))
            let distance = distance(wanted, other)
            let isPart =
                min(wanted.count, other.count) > 2
                && (other.starts(with: wanted) || wanted.starts(with: other)
                    || other.reversed().starts(with: wanted.reversed()))
            guard isPart || distance <= max(1, wanted.count / 3) else { return nil }
            return (name, distance)
        }
        return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }

    /// What a container's name may have at most in any engine, and a bound of the work.
    private static let longest = 128

    /// How many letters must be put in, taken away or changed, or change places with their neighbour.
    private static func distance(_ one: [Unicode.Scalar], _ other: [Unicode.Scalar]) -> Int {
        var before: [Int] = []
        var above: [Int] = []
        var row = Array(0...other.count)
        for (index, letter) in one.enumerated() {
            (before, above) = (above, row)
            row[0] = index + 1
            for (place, counterpart) in other.enumerated() {
                let isSwapped =
                    index > 0 && place > 0 && letter == other[place - 1] && one[index - 1] == counterpart
                row[place + 1] = min(
                    above[place + 1] + 1, row[place] + 1, above[place] + (letter == counterpart ? 0 : 1),
                    isSwapped ? before[place - 1] + 1 : .max)
            }
        }
        return row[other.count]
    }
}
