import Synchronization

/// The figures of one relay: written by its thread alone, read by anybody at any time.
///
/// Concurrency: every figure is an atomic of its own with one writer, so that a count costs a plain load
/// and a plain store and no reader can hold the relay up. A reader sees each figure whole; two figures may
/// be a message apart.
final class Counters: Sendable {
    enum Figure: Int, CaseIterable {
        case messages, bytes, heldMessages, heldBytes, everHeld
    }

    enum Whole: Int, CaseIterable {
        case connected, kernelConnections, failedConnects, interrupts
    }

    private static let perLane = Figure.allCases.count + Rejection.allCases.count
    private static let lanes = Channel.allCases.count * Direction.allCases.count
    private static let size = lanes * perLane + Whole.allCases.count

    /// Never changes after `init`; what it points to are atomics.
    private nonisolated(unsafe) let cells: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        cells = .allocate(capacity: Self.size)
        for index in 0..<Self.size { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: Self.size)
        cells.deallocate()
    }

    /// Where the figures of one lane begin. A lane asks once.
    static func base(_ channel: Channel, _ direction: Direction) -> Int {
        let lane = Channel.allCases.firstIndex(of: channel)! * 2 + (direction == .toKernel ? 0 : 1)
        return lane * perLane
    }

    @inline(__always)
    func add(_ amount: Int, to figure: Figure, at base: Int) { add(amount, at: base + figure.rawValue) }

    @inline(__always)
    func set(_ figure: Figure, to value: Int, at base: Int) {
        cells[base + figure.rawValue].store(UInt64(value), ordering: .relaxed)
    }

    func count(_ rejection: Rejection, at base: Int, times: Int = 1) {
        add(times, at: base + Self.offset(rejection))
    }

    func add(_ amount: Int, to whole: Whole) { add(amount, at: Self.index(whole)) }

    func set(_ whole: Whole, to value: Int) {
        cells[Self.index(whole)].store(UInt64(value), ordering: .relaxed)
    }

    /// Only the relay's thread calls this: it is not one atomic step.
    @inline(__always)
    private func add(_ amount: Int, at index: Int) {
        let value = cells[index].load(ordering: .relaxed)
        cells[index].store(value &+ UInt64(amount), ordering: .relaxed)
    }

    private static func index(_ whole: Whole) -> Int { lanes * perLane + whole.rawValue }

    private static func offset(_ rejection: Rejection) -> Int {
        Figure.allCases.count + Rejection.allCases.firstIndex(of: rejection)!
    }

    private func read(_ index: Int) -> Int { Int(cells[index].load(ordering: .relaxed)) }

    func snapshot() -> RelayStatistics {
        var lanes: [RelayStatistics.Lane] = []
        for channel in Channel.allCases {
            for direction in Direction.allCases {
                let base = Self.base(channel, direction)
                var rejected: [Rejection: Int] = [:]
                for rejection in Rejection.allCases {
                    let count = read(base + Self.offset(rejection))
                    if count > 0 { rejected[rejection] = count }
                }
                lanes.append(
                    RelayStatistics.Lane(
                        channel: channel, direction: direction,
                        messages: read(base + Figure.messages.rawValue),
                        bytes: read(base + Figure.bytes.rawValue),
                        heldMessages: read(base + Figure.heldMessages.rawValue),
                        heldBytes: read(base + Figure.heldBytes.rawValue),
                        everHeld: read(base + Figure.everHeld.rawValue), rejected: rejected))
            }
        }
        return RelayStatistics(
            connected: read(Self.index(.connected)) == 1,
            kernelConnections: read(Self.index(.kernelConnections)),
            failedConnects: read(Self.index(.failedConnects)),
            interrupts: read(Self.index(.interrupts)), lanes: lanes)
    }
}
