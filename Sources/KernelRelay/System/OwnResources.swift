import Glibc

/// What this process uses.
package struct OwnResources: Sendable {
    package let memoryBytes: Int
    package let cpuSeconds: Double
    package let threads: Int

    package static var now: OwnResources {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return OwnResources(
            memoryBytes: field("VmRSS:") * 1024,
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            threads: field("Threads:"))
    }

    /// A number of /proc/self/status.
    private static func field(_ name: String) -> Int {
        guard let file = fopen("/proc/self/status", "re") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix(name) else { continue }
            return text.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
        }
        return 0
    }
}
