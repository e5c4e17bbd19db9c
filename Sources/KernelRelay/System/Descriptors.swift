import Glibc

package enum Descriptors {
    /// How many more descriptors this process may open.
    package static func left() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        guard let open = open() else { return 0 }
        return Int(clamping: limit.rlim_cur) - open
    }

    /// Takes as many as this process may have: a relay needs some fifty.
    package static func raiseLimit() {
        let number = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(number, &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 1 << 20))
        setrlimit(number, &limit)
    }

    /// How many are open now; nothing when there was not even one left to find out.
    package static func open() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count - 3  // ".", ".." and the folder itself
    }
}
