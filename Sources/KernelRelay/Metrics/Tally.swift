/// What kernels have added up. Sums that only grow: a kernel's are added to those of the ended when it ends, so that
/// whoever reads them never sees one become smaller.
package struct Tally: Sendable, Equatable {
    package struct Lane: Sendable, Equatable {
        package var messages = 0
        package var bytes = 0
        package var everHeld = 0
    }

    package struct Way: Hashable, Sendable {
        package let channel: Channel
        package let direction: Direction
    }

    package var lanes: [Way: Lane] = [:]
    package var rejected: [Rejection: Int] = [:]
    package var interrupts = 0
    package var heartbeat = Histogram()
    package var heartbeatsLost = 0
    package var replies: [Channel: Histogram] = [:]
    package var launch: [String: Histogram] = [:]
    /// Of all gates and engines: no kernel's own, and added by whoever has them.
    package var hops: [HopTimes.Hop: Histogram] = [:]

    package init() {}

    package mutating func add(_ other: Tally) {
        for (way, lane) in other.lanes {
            lanes[way, default: Lane()].messages += lane.messages
            lanes[way, default: Lane()].bytes += lane.bytes
            lanes[way, default: Lane()].everHeld += lane.everHeld
        }
        rejected.merge(other.rejected, uniquingKeysWith: +)
        interrupts += other.interrupts
        heartbeat.add(other.heartbeat)
        heartbeatsLost += other.heartbeatsLost
        replies.merge(other.replies, uniquingKeysWith: Self.sum)
        launch.merge(other.launch, uniquingKeysWith: Self.sum)
        hops.merge(other.hops, uniquingKeysWith: Self.sum)
    }

    private static func sum(_ one: Histogram, _ other: Histogram) -> Histogram {
        var sum = one
        sum.add(other)
        return sum
    }
}

extension Tally {
    /// What one relay has done so far.
    package init(_ relay: Relay) {
        let statistics = relay.statistics
        for lane in statistics.lanes {
            let way = Way(channel: lane.channel, direction: lane.direction)
            lanes[way] = Lane(messages: lane.messages, bytes: lane.bytes, everHeld: lane.everHeld)
            rejected.merge(lane.rejected, uniquingKeysWith: +)
        }
        interrupts = statistics.interrupts
        let timings = relay.timings
        heartbeat = timings.heartbeat
        heartbeatsLost = relay.pulse.beatsLost
        replies = [.shell: timings.shell, .control: timings.control]
    }

    /// One phase of a launch that is over.
    package mutating func note(phase: String, took duration: Duration) {
        launch[phase, default: Histogram()].record(duration.nanoseconds)
    }
}
