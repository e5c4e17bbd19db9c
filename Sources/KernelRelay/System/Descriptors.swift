import Glibc

package enum Descriptors {
    /// How many more descriptors this process may open.
    package static func left() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        guard let open = open() else { return 0 }
        return Int(clamping: limit.rlim_cur) - open
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
