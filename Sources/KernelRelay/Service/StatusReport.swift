import Glibc
import RelayLink

/// What `relayd status` says, as JSON. `protocol/status.md` is the contract.
enum StatusReport {
    static func kernel(
        _ record: KernelRecord, _ seen: Observation, _ summary: KernelSession.Summary, history: Bool
    )
        -> JSON
    {
        let session = record.session
        var fields: [String: JSON] = [
            "id": .string(session.id), "state": .string(summary.state.rawValue),
            "container": .string(summary.container), "container_id": text(summary.containerID),
            "uptime_seconds": seconds(since: session.began), "resumed": .bool(summary.isResumed),
            "connection_file": .string(session.launch.connectionFile),
            "notebook": text(session.launch.session), "user": text(summary.user),
            "route": text(summary.route?.rawValue),
            "on_all_interfaces": .bool(summary.isOnAllInterfaces), "connected": .bool(seen.isConnected),
            "verdict": verdict(record.verdict, since: record.since),
            "ladder": .array(Ladder(seen).rungs.map(rung)), "activity": activity(seen),
            "process": process(seen), "memory": memory(seen.sight?.memory),
            "interrupts": .whole(Int64(summary.statistics?.interrupts ?? 0)),
            "channels": channels(record, summary.statistics), "launch": launch(summary.phases),
        ]
        let timings = summary.timings ?? RelayTimings()
        fields["round_trip"] = roundTrip(timings.heartbeat, seen.pulse)
        fields["reply_time"] = [
            "shell": .object(quantiles(timings.shell)), "control": .object(quantiles(timings.control)),
        ]
        fields["hop_time"] = [
            "gate": .object(quantiles(seen.sight?.gateTrips ?? Histogram())),
            "engine": .object(quantiles(seen.sight?.engineTrips ?? Histogram())),
        ]
        if history { fields["history"] = self.history(record.history) }
        return .object(fields)
    }

    static func ended(_ kernel: Chronicle.Ended) -> JSON {
        [
            "id": .string(kernel.kernel), "notebook": text(kernel.notebook),
            "container": .string(kernel.container), "verdict": verdict(kernel.verdict, since: kernel.since),
            "ended_seconds_ago": seconds(since: kernel.at),
        ]
    }

    /// Nothing of one that is closed.
    static func gate(_ gate: GateSession) async -> JSON? {
        guard let state = await gate.state else { return nil }
        let welcome = await gate.welcome
        return [
            "container": .string(gate.container.name), "container_id": .string(gate.container.id),
            "user": .string(welcome.user ?? String(welcome.uid)), "pid": .whole(Int64(welcome.pid)),
            "state": .string(state), "release": .string(welcome.release),
            "kernels": .whole(Int64(await gate.kernelCount)),
            "ports": .object(welcome.ports.mapValues { .whole(Int64($0)) }),
        ]
    }

    // MARK: - Parts of a kernel

    private static func verdict(_ verdict: KernelVerdict, since: ContinuousClock.Instant) -> JSON {
        [
            "word": .string(verdict.word.rawValue), "since_seconds": seconds(since: since),
            "text": .string(verdict.text), "code": text(verdict.code), "remedy": text(verdict.remedy),
            "command": text(verdict.command),
        ]
    }

    private static func rung(_ rung: Ladder.Rung) -> JSON {
        [
            "hop": .string(rung.hop.rawValue), "lamp": .string(rung.lamp.rawValue),
            "text": .string(rung.text),
            "milliseconds": rung.took.map(milliseconds) ?? .null,
        ]
    }

    private static func activity(_ seen: Observation) -> JSON {
        [
            "busy_seconds": seen.pulse?.busySince.map(seconds) ?? .null,
            "shell_reply_seconds_ago": seen.pulse?.shellReplied.map(seconds) ?? .null,
            "iopub_seconds_ago": seen.pulse?.published.map(seconds) ?? .null,
        ]
    }

    private static func process(_ seen: Observation) -> JSON {
        guard let process = seen.process else { return .null }
        return [
            "pid": .whole(Int64(process.vitals.pid)), "state": .string(process.vitals.state.rawValue),
            "cpu_percent": process.cpuShare.map { rounded($0 * 100, 10) } ?? .null,
            "cpu_seconds": rounded(Double(process.vitals.cpuMilliseconds) / 1000, 100),
            "memory_bytes": seen.memoryBytes.map { .whole($0) } ?? .null,
        ]
    }

    private static func memory(_ memory: GateVitals.Memory?) -> JSON {
        guard let memory else { return .null }
        return [
            "used_bytes": .whole(memory.usedBytes),
            "limit_bytes": memory.limitBytes.map { .whole($0) } ?? .null,
            "kills": .whole(memory.kills),
        ]
    }

    private static func roundTrip(_ histogram: Histogram, _ pulse: RelayPulse?) -> JSON {
        var fields = quantiles(histogram)
        fields["last_ms"] = pulse?.lastBeat.map(milliseconds) ?? .null
        fields["lost"] = .whole(Int64(pulse?.beatsLost ?? 0))
        return .object(fields)
    }

    private static func quantiles(_ histogram: Histogram) -> [String: JSON] {
        func quantile(_ share: Double) -> JSON {
            histogram.quantile(share).map { rounded(Double($0) / 1_000_000, 1000) } ?? .null
        }
        return [
            "p50_ms": quantile(0.5), "p99_ms": quantile(0.99),
            "count": .whole(Int64(clamping: histogram.count)),
        ]
    }

    private static func channels(_ record: KernelRecord, _ statistics: RelayStatistics?) -> JSON {
        var channels: [String: [String: JSON]] = [:]
        for (index, lane) in (statistics?.lanes ?? []).enumerated() {
            let rate = record.rate(of: index)
            let direction = lane.direction == .toKernel ? "to_kernel" : "to_client"
            channels[lane.channel.rawValue, default: [:]][direction] = [
                "messages": .whole(Int64(lane.messages)), "bytes": .whole(Int64(lane.bytes)),
                "messages_per_second": rounded(rate.messages, 10), "bytes_per_second": rounded(rate.bytes, 1),
                "held_messages": .whole(Int64(lane.heldMessages)),
                "held_bytes": .whole(Int64(lane.heldBytes)),
                "ever_held": .whole(Int64(lane.everHeld)),
                "dropped": .object(
                    Dictionary(
                        uniqueKeysWithValues: lane.rejected.map { ($0.key.rawValue, .whole(Int64($0.value))) }
                    )),
            ]
        }
        return .object(channels.mapValues { .object($0) })
    }

    private static func launch(_ phases: LaunchPhases) -> JSON {
        [
            "phases": .array(
                phases.done.map {
                    ["name": .string($0.name.rawValue), "milliseconds": milliseconds($0.duration)]
                }),
            "total_milliseconds": phases.total.map(milliseconds) ?? .null,
        ]
    }

    private static func history(_ history: KernelHistory) -> JSON {
        let samples = history.samples
        return [
            "every_seconds": rounded(Tuning.sampleEvery.seconds, 10),
            "round_trip_ms": .array(samples.map { $0.roundTrip.map(milliseconds) ?? .null }),
            "messages_per_second": .array(samples.map { rounded(Double($0.messagesPerSecond), 10) }),
            "verdicts": .array(samples.map { .string($0.word.rawValue) }),
        ]
    }

    // MARK: - Figures

    private static func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }

    private static func milliseconds(_ duration: Duration) -> JSON { rounded(duration.seconds * 1000, 1000) }

    static func seconds(since began: ContinuousClock.Instant) -> JSON {
        rounded((ContinuousClock.now - began).seconds, 10)
    }

    /// To so many parts of a whole: more digits would only make two reports differ.
    static func rounded(_ value: Double, _ parts: Double) -> JSON {
        value.isFinite ? .number((value * parts).rounded() / parts) : .null
    }
}
