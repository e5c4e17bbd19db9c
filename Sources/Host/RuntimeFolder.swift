import Glibc
import RelayLink

/// Where relayd listens: a folder that only its user can enter.
package struct RuntimeFolder: Sendable, Equatable {
    package let path: String
    package var socket: String { "\(path)/relayd.sock" }
    /// Held by whoever starts a relayd.
    package var startLock: String { "\(path)/start.lock" }
    /// Held by the relayd that serves.
    package var serveLock: String { "\(path)/serve.lock" }
    package var log: String { "\(path)/relayd.log" }

    /// Finds the folder, and makes it where it is missing.
    package init(environment: [String: String]) throws(HostError) {
        path = Self.place(environment)
        // A Unix socket's name has room for 107 bytes.
        guard path.hasPrefix("/"), path.utf8.count <= 90 else {
            throw HostError(.runtimeFolder, "\(printable(path)) is not absolute, or has over 90 bytes")
        }
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw HostError(.runtimeFolder, "\(printable(path)): \(String(cString: strerror(errno)))")
        }
        var facts = stat()
        // Not through a link: in /tmp anybody could have put one.
        guard lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else {
            throw HostError(.runtimeFolder, "\(printable(path)) is not a folder")
        }
        guard facts.st_uid == geteuid() else {
            throw HostError(.runtimeFolder, "\(printable(path)) belongs to another user")
        }
        guard facts.st_mode & 0o077 == 0 else {
            throw HostError(.runtimeFolder, "others may enter \(printable(path))")
        }
    }

    /// Where it is, whatever is there.
    package static func place(_ environment: [String: String]) -> String {
        if let path = environment["KERNELRELAY_RUNTIME_DIR"], !path.isEmpty { return path }
        if let path = environment["XDG_RUNTIME_DIR"], path.hasPrefix("/"), isOurs(path) {
            return "\(path)/kernelrelay"
        }
        // Set by a login, and often missing under cron, sudo or a container's exec.
        let usual = "/run/user/\(geteuid())"
        if isOurs(usual) { return "\(usual)/kernelrelay" }
        return "/tmp/kernelrelay-\(geteuid())"
    }

    private static func isOurs(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR && facts.st_uid == geteuid()
            && facts.st_mode & 0o077 == 0
    }
}
