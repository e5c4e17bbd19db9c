import Glibc

/// Lines to a descriptor that somebody else may have: a terminal that was stopped, a pipe that nobody reads. Nobody
/// waits for those: lines that do not fit are dropped, and the next that fits is told after their number.
package struct LogOutput: Sendable {
    package private(set) var dropped = 0

    package init() {}

    package mutating func write(_ line: String, to descriptor: Int32) {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT != S_IFREG else {
            Self.put(line, Int.max, descriptor)
            return
        }
        if dropped > 0, Self.hasRoom(descriptor) {
            Self.put("(\(dropped) lines were dropped: nobody read them)", Self.atOnce, descriptor)
            dropped = 0
        }
        if dropped == 0, Self.hasRoom(descriptor) {
            Self.put(line, Self.atOnce, descriptor)
        } else {
            dropped += 1
        }
    }

    /// What a pipe that has room takes without waiting.
    private static let atOnce = Int(PIPE_BUF)

    private static func hasRoom(_ descriptor: Int32) -> Bool {
        var asked = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&asked, 1, 0) == 1 && asked.revents == Int16(POLLOUT)
    }

    private static func put(_ line: String, _ limit: Int, _ descriptor: Int32) {
        let bytes = Array(line.utf8.prefix(limit - 1)) + [UInt8(ascii: "\n")]
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }
}
