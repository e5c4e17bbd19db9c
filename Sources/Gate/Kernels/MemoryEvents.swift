/// How often the container's memory limit has killed a process, as the cgroup tells, of either version.
enum MemoryEvents {
    private static let files: [String] = {
        var files: [String] = []
        // With a cgroup namespace of its own the container is the root; without one it has a path.
        for line in (SmallFile.text("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[1].isEmpty {
                files.append("/sys/fs/cgroup\(parts[2])/memory.events")
            } else if parts[1].split(separator: ",").contains("memory") {
                files.append("/sys/fs/cgroup/memory\(parts[2])/memory.oom_control")
            }
        }
        return files + ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"]
    }()

    static var kills: Int64? {
        for file in files {
            guard let text = SmallFile.text(file) else { continue }
            for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
                return Int64(line.dropFirst("oom_kill ".count))
            }
        }
        return nil
    }
}
