import RelayLink

/// What `relayd status` says of each kernel and gate, as JSON. Names and units stay as they are while
/// schema_version does.
enum StatusReport {
    static func kernel(_ session: KernelSession, _ summary: KernelSession.Summary) -> JSON {
        var fields: [String: JSON] = [
            "id": .string(session.id), "state": .string(summary.state.rawValue),
            "container": .string(summary.container), "uptime_seconds": seconds(since: session.began),
            "connection_file": .string(session.launch.connectionFile),
            "notebook": session.launch.session.map { .string($0) } ?? .null,
            "user": session.launch.user.map { .string($0) } ?? .null,
            "route": summary.route.map { .string($0.rawValue) } ?? .null,
        ]
        if let statistics = summary.statistics {
            fields["connected"] = .bool(statistics.connected)
            fields["messages"] = messages(statistics)
        }
        return .object(fields)
    }

    private static func messages(_ statistics: RelayStatistics) -> JSON {
        var counts: [String: JSON] = [:]
        for direction in Direction.allCases {
            var channels: [String: JSON] = [:]
            for channel in Channel.allCases {
                channels[channel.rawValue] = .whole(Int64(clamping: statistics[channel, direction].messages))
            }
            counts[direction.rawValue] = .object(channels)
        }
        return .object(counts)
    }

    static func gate(_ gate: GateSession) async -> JSON {
        let welcome = await gate.welcome
        return [
            "container": .string(gate.container.name), "container_id": .string(gate.container.id),
            "user": .string(welcome.user ?? String(welcome.uid)), "pid": .whole(Int64(welcome.pid)),
            "state": .string(await gate.state), "release": .string(welcome.release),
            "kernels": .whole(Int64(await gate.kernelCount)),
            "ports": .object(welcome.ports.mapValues { .whole(Int64($0)) }),
        ]
    }

    static func seconds(since began: ContinuousClock.Instant) -> JSON {
        // To the tenth: more would only make two reports differ.
        .number((Double((ContinuousClock.now - began) / .milliseconds(100)).rounded(.down)) / 10)
    }
}
