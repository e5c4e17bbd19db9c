import RelayLink

/// The figures of one relayd, as families: sums from the tally, and what is now from the status report.
package enum RelaydMetrics {
    /// What neither of the two knows.
    package struct Process: Sendable {
        package let descriptors: Int?
        /// Seconds since 1970.
        package let started: Double

        package init(descriptors: Int?, started: Double) {
            (self.descriptors, self.started) = (descriptors, started)
        }
    }

    package static func families(_ report: JSON, _ tally: Tally, _ process: Process) -> [OpenMetrics.Family] {
        build(report) + traffic(tally) + held(report) + times(tally) + population(report)
            + own(report, process)
    }

    private static func build(_ report: JSON) -> [OpenMetrics.Family] {
        var build = OpenMetrics.Family(.info, "kernelrelay_build", "What runs.")
        build.add(
            1,
            [
                "release": report.fields?["release"]?.text ?? "",
                "protocol": String(ControlProtocol.version),
            ])
        return [build]
    }

    // MARK: - Sums

    private static func traffic(_ tally: Tally) -> [OpenMetrics.Family] {
        var messages = OpenMetrics.Family(.counter, "kernelrelay_messages", "Messages handed on.")
        var bytes = OpenMetrics.Family(
            .counter, "kernelrelay_bytes", unit: "bytes", "Bytes of the messages that were handed on.")
        var delayed = OpenMetrics.Family(
            .counter, "kernelrelay_delayed_messages", "Messages that had to wait for a slow receiver.")
        for channel in Channel.allCases {
            for direction in Direction.allCases {
                let lane = tally.lanes[.init(channel: channel, direction: direction)] ?? .init()
                let way = direction.metricLabel
                messages.add(Double(lane.messages), ["channel": channel.rawValue, "direction": way])
                bytes.add(Double(lane.bytes), ["channel": channel.rawValue, "direction": way])
                delayed.add(Double(lane.everHeld), ["channel": channel.rawValue, "direction": way])
            }
        }
        var rejected = OpenMetrics.Family(
            .counter, "kernelrelay_rejected", "Messages and connections that did not pass.")
        for reason in Rejection.allCases {
            rejected.add(Double(tally.rejected[reason] ?? 0), ["reason": reason.rawValue])
        }
        var interrupts = OpenMetrics.Family(.counter, "kernelrelay_interrupts", "Interrupts by signal.")
        interrupts.add(Double(tally.interrupts))
        return [messages, bytes, delayed, rejected, interrupts]
    }

    private static func times(_ tally: Tally) -> [OpenMetrics.Family] {
        var heartbeat = OpenMetrics.Family(
            .histogram, "kernelrelay_heartbeat_seconds", unit: "seconds",
            "Round trips of relayd's own heartbeats to kernels.")
        heartbeat.add(tally.heartbeat)
        var lost = OpenMetrics.Family(
            .counter, "kernelrelay_heartbeats_lost", "Heartbeats to kernels that did not come back.")
        lost.add(Double(tally.heartbeatsLost))
        var reply = OpenMetrics.Family(
            .histogram, "kernelrelay_reply_seconds", unit: "seconds",
            "From a request's being handed to a kernel to its reply.")
        for (channel, times) in tally.replies.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            reply.add(times, ["channel": channel.rawValue])
        }
        var launch = OpenMetrics.Family(
            .histogram, "kernelrelay_launch_seconds", unit: "seconds", "The phases of launches.")
        for (phase, times) in tally.launch.sorted(by: { $0.key < $1.key }) {
            launch.add(times, ["phase": phase])
        }
        return [heartbeat, lost, reply, launch] + hops(tally)
    }

    private static func hops(_ tally: Tally) -> [OpenMetrics.Family] {
        HopTimes.Hop.allCases.map { hop in
            var family = OpenMetrics.Family(
                .histogram, "kernelrelay_\(hop.rawValue)_seconds", unit: "seconds",
                hop == .gate
                    ? "From a question to a gate to its answer."
                    : "From a question to an engine to its answer.")
            family.add(tally.hops[hop] ?? Histogram())
            return family
        }
    }

    // MARK: - Now

    private static func held(_ report: JSON) -> [OpenMetrics.Family] {
        var held = OpenMetrics.Family(
            .gauge, "kernelrelay_held_bytes", unit: "bytes",
            "Memory of the messages that wait for a slow receiver.")
        var messages = OpenMetrics.Family(
            .gauge, "kernelrelay_held_messages", "Messages that wait for a slow receiver.")
        for channel in Channel.allCases {
            for direction in Direction.allCases {
                func sum(_ figure: String) -> Double {
                    kernels(report).reduce(0) { sum, kernel in
                        let lane = kernel["channels"]?.fields?[channel.rawValue]?.fields?[
                            direction.metricLabel]
                        return sum + (lane?.fields?[figure]?.amount ?? 0)
                    }
                }
                let way = direction.metricLabel
                held.add(sum("held_bytes"), ["channel": channel.rawValue, "direction": way])
                messages.add(sum("held_messages"), ["channel": channel.rawValue, "direction": way])
            }
        }
        return [held, messages]
    }

    private static func population(_ report: JSON) -> [OpenMetrics.Family] {
        let words = kernels(report).map { $0["verdict"]?.fields?["word"]?.text ?? "" }
        var kernels = OpenMetrics.Family(.gauge, "kernelrelay_kernels", "Kernels by verdict.")
        for verdict in KernelVerdict.Word.allCases.map(\.rawValue) {
            kernels.add(Double(words.count { $0 == verdict }), ["verdict": verdict])
        }
        let states = (report.fields?["gates"]?.list ?? []).map { $0.fields?["state"]?.text ?? "" }
        var gates = OpenMetrics.Family(.gauge, "kernelrelay_gates", "Gates by state.")
        for state in ["open", "joining"] {
            gates.add(Double(states.count { $0 == state }), ["state": state])
        }
        return [kernels, gates]
    }

    /// By the names that every program's figures go by.
    private static func own(_ report: JSON, _ process: Process) -> [OpenMetrics.Family] {
        let resources = report.fields?["resources"]?.fields ?? [:]
        var families: [OpenMetrics.Family] = []
        func add(_ family: OpenMetrics.Family, _ value: Double?) {
            guard let value else { return }
            var family = family
            family.add(value)
            families.append(family)
        }
        add(
            .init(.counter, "process_cpu_seconds", unit: "seconds", "Processor time of relayd."),
            resources["cpu_seconds"]?.amount)
        add(
            .init(.gauge, "process_resident_memory_bytes", unit: "bytes", "Memory of relayd."),
            resources["memory_bytes"]?.amount)
        add(.init(.gauge, "process_threads", "Threads of relayd."), resources["threads"]?.amount)
        add(
            .init(.gauge, "process_open_fds", "Open descriptors of relayd."),
            process.descriptors.map(Double.init))
        add(
            .init(
                .gauge, "process_start_time_seconds", unit: "seconds", "When relayd was started, since 1970."),
            process.started)
        return families
    }

    private static func kernels(_ report: JSON) -> [[String: JSON]] {
        (report.fields?["kernels"]?.list ?? []).compactMap(\.fields)
    }
}

extension Direction {
    /// As the status report spells it.
    package var metricLabel: String {
        switch self {
        case .toKernel: "to_kernel"
        case .toClient: "to_client"
        }
    }
}

extension JSON {
    /// A number of either kind.
    fileprivate var amount: Double? {
        switch self {
        case .whole(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
