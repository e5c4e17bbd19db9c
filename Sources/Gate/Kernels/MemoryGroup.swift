import RelayLink

/// The container's memory as its cgroup tells it, of either version.
enum MemoryGroup {
    private struct Place {
        let used: String
        let limit: String
        let events: String
        let parts: String

        init(unified folder: String) {
            used = "\(folder)/memory.current"
            limit = "\(folder)/memory.max"
            events = "\(folder)/memory.events"
            parts = "\(folder)/memory.stat"
        }

        init(legacy folder: String) {
            used = "\(folder)/memory.usage_in_bytes"
            limit = "\(folder)/memory.limit_in_bytes"
            events = "\(folder)/memory.oom_control"
            parts = "\(folder)/memory.stat"
        }
    }

    private static let places: [Place] = {
        var places: [Place] = []
        // With a cgroup namespace of its own the container is the root; without one it has a path.
        for line in (SmallFile.text("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[1].isEmpty {
                places.append(Place(unified: "/sys/fs/cgroup\(parts[2])"))
            } else if parts[1].split(separator: ",").contains("memory") {
                places.append(Place(legacy: "/sys/fs/cgroup/memory\(parts[2])"))
            }
        }
        return places + [Place(unified: "/sys/fs/cgroup"), Place(legacy: "/sys/fs/cgroup/memory")]
    }()

    /// How often the limit has killed a process.
    static var kills: Int64? {
        for place in places {
            if let kills = count("oom_kill ", in: place.events) { return kills }
        }
        return nil
    }

    static var now: GateVitals.Memory? {
        for place in places {
            guard let used = number(in: place.used) else { continue }
            // Without a limit version 2 says a word, version 1 a number that no machine has.
            let limit = number(in: place.limit).flatMap { $0 < 1 << 60 ? $0 : nil }
            // Files that were read and can be forgotten at once are no memory that anybody lacks.
            let cached = count("inactive_file ", in: place.parts) ?? 0
            return .init(
                usedBytes: max(0, used - cached), limitBytes: limit,
                kills: count("oom_kill ", in: place.events) ?? 0)
        }
        return nil
    }

    private static func count(_ name: String, in file: String) -> Int64? {
        guard let text = SmallFile.text(file) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            return Int64(line.dropFirst(name.count)).flatMap { $0 < 0 ? nil : $0 }
        }
        return nil
    }

    private static func number(in file: String) -> Int64? {
        guard let line = SmallFile.text(file)?.split(separator: "\n").first else { return nil }
        return Int64(line).flatMap { $0 < 0 ? nil : $0 }
    }
}
