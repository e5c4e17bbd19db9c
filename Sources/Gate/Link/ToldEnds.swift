import RelayLink

/// What `hold` has said of the container's end and still holds, for a link that comes later. As a value; times are those of
/// the ``BootClock``.
package struct ToldEnds {
    private var ends: [(limit: LifetimeLimit, at: Int64, told: Int64)] = []

    package init() {}

    package mutating func told(_ end: EndRecord, now: Int64) {
        ends.removeAll { $0.limit == end.limit }
        ends.append((end.limit, now + end.left, now))
    }

    /// A use after it was told puts an idle end off, and `hold` says it again when it comes near again.
    package mutating func used(at moment: Int64) {
        ends.removeAll { $0.limit == .idle && moment >= $0.told }
    }

    /// 0 would be an order to end.
    package func left(at now: Int64) -> [EndRecord] {
        ends.map { EndRecord($0.limit, left: max(1, $0.at - now)) }
    }
}
