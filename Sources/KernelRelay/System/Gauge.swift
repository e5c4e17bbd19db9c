import Synchronization

/// A number that one thread sets and any may read.
package final class Gauge: Sendable {
    private let number = Atomic<Int>(0)
    package init() {}
    package var value: Int { number.load(ordering: .relaxed) }
    package func set(_ value: Int) { number.store(value, ordering: .relaxed) }
}
