import Glibc

/// relayd.log: what relayd's stderr is when it runs in the background. When it has grown it is set aside as
/// relayd.log.1, in the place of the one before, so that the two are bounded however long relayd runs.
package struct LogFile: Sendable {
    package let path: String
    private let limit: Int

    package init(_ path: String, limit: Int = Tuning.largestLog) {
        self.path = path
        self.limit = limit
    }

    package var former: String { "\(path).1" }

    /// For one who is about to write at its end.
    package func open() throws(RelayError) -> Int32 {
        var facts = stat()
        if lstat(path, &facts) == 0, facts.st_size > limit { rename(path, former) }
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
        let descriptor = Glibc.open(path, flags, 0o600)
        guard descriptor >= 0 else { throw .system("open \(path)") }
        return descriptor
    }

    /// Begins anew behind a descriptor that is this file, and leaves any other alone: of a relayd in the foreground
    /// somebody else has the output.
    package func renew(_ descriptor: Int32) {
        var mine = stat()
        var named = stat()
        guard fstat(descriptor, &mine) == 0, mine.st_size > limit, lstat(path, &named) == 0,
            mine.st_dev == named.st_dev, mine.st_ino == named.st_ino
        else { return }
        guard let fresh = try? open() else { return }
        dup2(fresh, descriptor)
        close(fresh)
    }

    /// The last lines of both, the oldest first.
    package func lastLines(_ count: Int) -> [String] {
        var lines: [String] = []
        for path in [path, former] where lines.count < count {
            guard let bytes = try? PrivateFile.read(path, limit: 4 * limit) else { continue }
            let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            lines = text.suffix(count - lines.count).map(String.init) + lines
        }
        return lines
    }
}
