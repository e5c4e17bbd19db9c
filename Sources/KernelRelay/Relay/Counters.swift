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
        /// Beats of the relay's own that were not answered in time, and that were answered at all.
        case beatsLost, beatsAnswered
        /// The last round trip of a beat, and for how long the thread may sleep, in nanoseconds.
        case lastBeat, longestSleep
        // Moments, as nanoseconds since `origin`; 0 for never, or not now.
        case turned, beatSent, busySince, waitsSince, shellReplied, published, heldSince, used
        /// 1 while the kernel does what somebody asked for.
        case works
    }

    /// What is kept as a histogram.
    enum Timing: Int, CaseIterable {
        case heartbeat, shell, control
    }

    private static let rejections = Rejection.allCases
    private static let perLane = Figure.allCases.count + rejections.count
    private static let lanes = Channel.allCases.count * Direction.allCases.count
    private static let timings = lanes * perLane + Whole.allCases.count
    /// A histogram's steps, and its sum.
    private static let perTiming = Histogram.steps + 1
    private static let size = timings + Timing.allCases.count * perTiming

    /// Moments are counted from here.
    let origin = ContinuousClock.now

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

    /// A moment as the figures hold it; never 0, which stands for none.
    func stamp(_ moment: ContinuousClock.Instant) -> Int {
        max(1, Int(clamping: origin.duration(to: moment).nanoseconds))
    }

    func mark(_ whole: Whole, at moment: ContinuousClock.Instant?) {
        set(whole, to: moment.map(stamp) ?? 0)
    }

    /// Looked for once a second, and so worth a lock.
    private let slowest = Mutex<SlowClient?>(nil)

    var slowClient: SlowClient? { slowest.withLock(\.self) }

    func holds(since moment: ContinuousClock.Instant?, for client: SlowClient?) {
        mark(.heldSince, at: moment)
        slowest.withLock { $0 = client }
    }

    func record(_ duration: Duration, in timing: Timing) {
        let nanoseconds = duration.nanoseconds
        let base = Self.timings + timing.rawValue * Self.perTiming
        add(1, at: base + Histogram.step(nanoseconds))
        add(Int(clamping: nanoseconds), at: base + Histogram.steps)
    }

    /// Only the relay's thread calls this: it is not one atomic step.
    @inline(__always)
    private func add(_ amount: Int, at index: Int) {
        let value = cells[index].load(ordering: .relaxed)
        cells[index].store(value &+ UInt64(amount), ordering: .relaxed)
    }

    private static func index(_ whole: Whole) -> Int { lanes * perLane + whole.rawValue }

    private static func offset(_ rejection: Rejection) -> Int {
        Figure.allCases.count + rejections.firstIndex(of: rejection)!
    }

    private func read(_ index: Int) -> Int { Int(cells[index].load(ordering: .relaxed)) }

    private func moment(_ whole: Whole) -> ContinuousClock.Instant? {
        let value = read(Self.index(whole))
        return value == 0 ? nil : origin + .nanoseconds(value)
    }

    private func histogram(_ timing: Timing) -> Histogram {
        let base = Self.timings + timing.rawValue * Self.perTiming
        return Histogram(
            counts: (0..<Histogram.steps).map { UInt64(read(base + $0)) },
            nanoseconds: UInt64(read(base + Histogram.steps)))
    }

    func pulse() -> RelayPulse {
        var pulse = RelayPulse()
        // Before its last turn, or a thread that has just woken would have an old turn and a new limit.
        let sleep = read(Self.index(.longestSleep))
        if sleep > 0 { pulse.longestSleep = .nanoseconds(sleep) }
        pulse.turned = moment(.turned)
        pulse.beatSent = moment(.beatSent)
        pulse.beatsAnswered = read(Self.index(.beatsAnswered))
        pulse.beatsLost = read(Self.index(.beatsLost))
        if pulse.beatsAnswered > 0 { pulse.lastBeat = .nanoseconds(read(Self.index(.lastBeat))) }
        pulse.busySince = moment(.busySince)
        pulse.waitsSince = moment(.waitsSince)
        pulse.shellReplied = moment(.shellReplied)
        pulse.published = moment(.published)
        pulse.heldSince = moment(.heldSince)
        pulse.used = moment(.used)
        pulse.isWorking = read(Self.index(.works)) == 1
        return pulse
    }

    var isConnected: Bool { read(Self.index(.connected)) == 1 }

    func timings() -> RelayTimings {
        RelayTimings(
            heartbeat: histogram(.heartbeat), shell: histogram(.shell), control: histogram(.control))
    }

    /// Messages handed on and bytes held, over all lanes: what is looked at often.
    func totals() -> (messages: Int, heldBytes: Int) {
        var sum = (messages: 0, heldBytes: 0)
        for lane in 0..<Self.lanes {
            sum.messages += read(lane * Self.perLane + Figure.messages.rawValue)
            sum.heldBytes += read(lane * Self.perLane + Figure.heldBytes.rawValue)
        }
        return sum
    }

    func snapshot() -> RelayStatistics {
        var lanes: [RelayStatistics.Lane] = []
        for channel in Channel.allCases {
            for direction in Direction.allCases {
                let base = Self.base(channel, direction)
                var rejected: [Rejection: Int] = [:]
                for (place, rejection) in Self.rejections.enumerated() {
                    let count = read(base + Figure.allCases.count + place)
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
