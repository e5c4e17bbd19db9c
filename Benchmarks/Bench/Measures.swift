import FakeJupyter
import Glibc

/// The measures that every lane goes through, each in short turns.
struct Measures {
    /// How much of everything; `--quick` makes do with less.
    struct Size {
        var trips = 1500
        var largeTrips = 200
        var burst = 300_000
        var megabyteFrames = 400
        var hugeFrames = 4
        var idlePings = 250
        var floodPings = 250
        var colossalFrames = 2

        static let quick = Size(
            trips: 600, largeTrips: 80, burst: 100_000, megabyteFrames: 120, hugeFrames: 2, idlePings: 100,
            floodPings: 100,
            colossalFrames: 1)
    }

    static let colossalBytes = 200_000_000

    typealias Turn = (Lane, inout Results) throws -> Void

    let size: Size
    private let small: [String: MessagePool]
    private let large: [String: MessagePool]
    private let lines: MessagePool
    private let megabyte: MessagePool
    private let megabyteBuffer: MessagePool

    init(_ size: Size) {
        self.size = size
        let keys = [Lane.clientKey, Lane.kernelKey]
        small = Dictionary(
            uniqueKeysWithValues: keys.map { ($0, MessagePool(count: 500, key: $0, total: 200)) })
        large = Dictionary(
            uniqueKeysWithValues: keys.map { ($0, MessagePool(count: 32, key: $0, total: 100_000)) })
        lines = MessagePool(count: 20_000, key: Lane.kernelKey, topic: "stream", total: 300)
        megabyte = MessagePool(count: 16, key: Lane.kernelKey, topic: "display_data", total: 1_000_000)
        megabyteBuffer = MessagePool(
            count: 16, key: Lane.kernelKey, topic: "comm_msg", total: 1_000_300, buffer: 1_000_000)
    }

    /// In the order of the table. The huge pools live only while their measure runs.
    var turns: [Turn] {
        [
            trips("shell round trip, 200 B", small, size.trips, control: false),
            trips("shell round trip, 100 kB", large, size.largeTrips, control: false),
            heartbeat,
            { try burst($0, &$1) },
            { try frames("1 MB frames, signed", megabyte, size.megabyteFrames, $0, &$1) },
            {
                try frames(
                    "1 MB frames, ends sign and verify", megabyte, size.megabyteFrames, $0, &$1, .signing)
            },
            { try frames("1 MB buffers, unsigned", megabyteBuffer, size.megabyteFrames, $0, &$1) },
            controlIdle,
            controlUnderFlood,
        ]
    }

    var hugeTurns: [(pool: () -> MessagePool, turn: (MessagePool) -> Turn)] {
        let key = Lane.kernelKey
        let huge = 64_000_000
        return [
            (
                { MessagePool(count: 1, key: key, topic: "display_data", total: huge) },
                { pool in { try frames("64 MB frames, signed", pool, size.hugeFrames, $0, &$1) } }
            ),
            (
                { MessagePool(count: 1, key: key, topic: "comm_msg", total: huge + 300, buffer: huge) },
                { pool in { try frames("64 MB buffers, unsigned", pool, size.hugeFrames, $0, &$1) } }
            ),
            (
                { MessagePool(count: 1, key: key, topic: "display_data", total: Measures.colossalBytes) },
                { pool in { try controlUnderColossal(pool, $0, &$1) } }
            ),
        ]
    }

    private func trips(_ name: String, _ pools: [String: MessagePool], _ count: Int, control: Bool) -> Turn {
        { lane, results in
            guard let pool = pools[lane.clientKey] else { return }
            for index in 0..<20 { _ = try lane.client.roundTrip(pool, index) }
            let times = try (0..<count).map { try lane.client.roundTrip(pool, $0, control: control) * 1e6 }
            let column = lane.contestant.rawValue
            results.add("\(name), p50", .microseconds, column, Statistics.percentile(0.5, times))
            results.add("\(name), p99", .microseconds, column, Statistics.percentile(0.99, times))
        }
    }

    private var heartbeat: Turn {
        { lane, results in
            let times = try (0..<size.trips).map { _ in try lane.client.ping() * 1e6 }
            results.add(
                "heartbeat round trip, p50", .microseconds, lane.contestant.rawValue,
                Statistics.percentile(0.5, times))
        }
    }

    /// Publishes `count` messages and takes them in, on two threads.
    private func run(_ pool: MessagePool, _ count: Int, _ lane: Lane, _ ends: Ends = .bare) -> BurstOutcome {
        let run = BurstRun()
        let start = Wire.now()
        let publisher = BenchThread { [kernel = lane.kernel] in kernel.publish(pool, count: count, run, ends)
        }
        let outcome = lane.client.sink(pool, count: count, run, start: start, ends)
        publisher.join()
        return outcome
    }

    private func burst(_ lane: Lane, _ results: inout Results) throws {
        let column = lane.contestant.rawValue
        let before = lane.child?.processorSeconds
        let outcome = run(lines, size.burst / lane.contestant.burstShare, lane)
        results.add(outcome, column)
        results.add(
            "300 B iopub burst", .messagesPerSecond, column, Double(outcome.received) / outcome.seconds)
        if let before, let after = lane.child?.processorSeconds {
            results.add(
                "processor time in the burst", .microsecondsPerMessage, column,
                (after - before) / Double(max(1, outcome.received)) * 1e6)
        }
    }

    /// A short turn of what diagnostics could slow down.
    func diagnostics(_ lane: Lane, _ results: inout Results) throws {
        let column = lane.contestant.rawValue
        let before = lane.child?.processorSeconds ?? 0
        let outcome = run(lines, size.burst / 6, lane)
        let used = (lane.child?.processorSeconds ?? 0) - before
        results.add(outcome, column)
        let received = Double(outcome.received)
        results.add(DiagnosticsCost.burst, .messagesPerSecond, column, received / outcome.seconds)
        results.add(DiagnosticsCost.processor, .microsecondsPerMessage, column, used / received * 1e6)
        guard let pool = small[lane.clientKey] else { return }
        let times = try (0..<size.trips / 4).map { try lane.client.roundTrip(pool, $0) * 1e6 }
        results.add(DiagnosticsCost.trip, .microseconds, column, Statistics.percentile(0.5, times))
    }

    private func frames(
        _ name: String, _ pool: MessagePool, _ count: Int, _ lane: Lane, _ results: inout Results,
        _ ends: Ends = .bare
    ) throws {
        let column = lane.contestant.rawValue
        let outcome = run(pool, count, lane, ends)
        if outcome.forged > 0 { throw BenchError("\(outcome.forged) messages came with a wrong signature") }
        results.add(outcome, column)
        let bytes = Double(outcome.received) * Double(pool.bytesEach)
        results.add(name, .megabytesPerSecond, column, bytes / outcome.seconds / 1e6)
    }

    // MARK: - Control

    /// Round trips on control, one every two milliseconds at most, until `done`.
    private func pings(_ lane: Lane, until done: (Int) -> Bool) throws -> [Double] {
        guard let pool = small[lane.clientKey] else { return [] }
        var times: [Double] = []
        while !done(times.count) {
            let time = try lane.client.roundTrip(pool, times.count, control: true)
            times.append(time * 1e3)
            if time < 0.002 { poll(nil, 0, Int32((0.002 - time) * 1e3)) }
        }
        return times
    }

    private func note(_ name: String, _ times: [Double], _ lane: Lane, _ results: inout Results) {
        let column = lane.contestant.rawValue
        results.add("\(name), p50", .milliseconds, column, Statistics.percentile(0.5, times))
        results.add("\(name), p99", .milliseconds, column, Statistics.percentile(0.99, times))
        results.add("\(name), max", .milliseconds, column, times.max() ?? .nan)
    }

    private var controlIdle: Turn {
        { lane, results in
            note("control delay, idle", try pings(lane) { $0 >= size.idlePings }, lane, &results)
        }
    }

    /// Whatever happens, the publisher is stopped and both threads are joined before the lane is used again.
    private func withTraffic(
        _ pool: MessagePool, count: Int, _ lane: Lane, _ results: inout Results,
        _ body: (Traffic) throws -> Void
    ) throws {
        let run = BurstRun()
        let traffic = Traffic(run)
        let start = Wire.now()
        let publisher = BenchThread { [kernel = lane.kernel] in kernel.publish(pool, count: count, run) }
        let sink = BenchThread { [client = lane.client] in
            traffic.end(client.sink(pool, count: count, run, start: start))
        }
        let result = Result { try body(traffic) }
        run.stop()
        publisher.join()
        sink.join()
        if let outcome = traffic.outcome { results.add(outcome, lane.contestant.rawValue) }
        try result.get()
    }

    private func controlUnderFlood(_ lane: Lane, _ results: inout Results) throws {
        var times: [Double] = []
        try withTraffic(lines, count: .max, lane, &results) { _ in
            let limit = Wire.now() + 3
            times = try pings(lane) { $0 >= size.floodPings || Wire.now() > limit }
        }
        note("control delay, iopub flood", times, lane, &results)
    }

    private func controlUnderColossal(_ pool: MessagePool, _ lane: Lane, _ results: inout Results) throws {
        var times: [Double] = []
        try withTraffic(pool, count: size.colossalFrames, lane, &results) { traffic in
            times = try pings(lane) { _ in traffic.outcome != nil }
        }
        note("control delay, 200 MB messages", times, lane, &results)
    }
}
