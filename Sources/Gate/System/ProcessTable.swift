import Glibc

/// What /proc says about the processes that this one can see.
///
/// It is read while bytes wait to be relayed, so it is read with few calls and nothing is made of what is not
/// needed: about 5 µs for each process.
package struct ProcessTable {
    package struct Entry: Equatable, Sendable {
        package let pid: Int32
        package let parent: Int32
        package let session: Int32
        /// In ticks since the machine started.
        package let started: UInt64
        /// Ended, and only its status is left.
        package let isZombie: Bool
    }

    package let entries: [Entry]

    /// Nothing where /proc is missing or hidden.
    package static func read() -> ProcessTable? {
        guard let folder = opendir("/proc") else { return nil }
        defer { closedir(folder) }
        var entries: [Entry] = []
        while let item = readdir(folder) {
            let pid = withUnsafeBytes(of: &item.pointee.d_name) { number($0.prefix { $0 != 0 }) }
            // It may have ended since its name was read.
            guard let pid, let entry = Entry(pid: Int32(truncatingIfNeeded: pid)) else { continue }
            entries.append(entry)
        }
        return entries.contains { $0.pid == getpid() } ? ProcessTable(entries: entries) : nil
    }

    /// The number that was set as the process's limit of file locks; see `Mark`.
    static func lockLimit(of pid: Int32) -> UInt64? {
        withFile("/proc/\(pid)/limits") { text in
            for line in text.split(separator: 0x0A) where line.starts(with: lockLine) {
                return line.dropFirst(lockLine.count).split(separator: 0x20).first.flatMap { number($0) }
            }
            return nil
        }
    }

    private static let lockLine = Array("Max file locks".utf8)

    /// Whether the environment that a process began with holds a line.
    static func environment(of pid: Int32, contains line: [UInt8]) -> Bool {
        SmallFile.read("/proc/\(pid)/environ", limit: 4 << 20)?.split(separator: 0).contains {
            $0.elementsEqual(line)
        } ?? false
    }

    /// The first 4 kB of a file, which is more than one of these has.
    fileprivate static func withFile<Result>(
        _ path: String, _ use: (UnsafeRawBufferPointer) -> Result?
    ) -> Result? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            return count > 0 ? use(UnsafeRawBufferPointer(rebasing: buffer[..<count])) : nil
        }
    }

    fileprivate static func number(_ digits: some Collection<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        guard !digits.isEmpty else { return nil }
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let (tens, isTooMuch) = value.multipliedReportingOverflow(by: 10)
            let (sum, isOver) = tens.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            if isTooMuch || isOver { return nil }
            value = sum
        }
        return value
    }
}

extension ProcessTable.Entry {
    package init?(pid: Int32) {
        let entry = ProcessTable.withFile("/proc/\(pid)/stat") { Self(pid: pid, stat: $0) }
        guard let entry else { return nil }
        self = entry
    }

    /// Reads a line of /proc/<pid>/stat. The name in it is the process's own choice, and may hold anything.
    package init?(pid: Int32, stat: some BidirectionalCollection<UInt8>) {
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let parent = ProcessTable.number(fields[1]),
            let session = ProcessTable.number(fields[3]), let started = ProcessTable.number(fields[19])
        else { return nil }
        self.init(
            pid: pid, parent: Int32(truncatingIfNeeded: parent), session: Int32(truncatingIfNeeded: session),
            started: started,
            isZombie: fields[0].elementsEqual([UInt8(ascii: "Z")])
                || fields[0].elementsEqual([UInt8(ascii: "X")]))
    }
}
