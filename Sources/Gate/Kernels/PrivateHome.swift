import Glibc

/// A home for a user who has none in the container: one for all of the user's kernels, that lives as long as the
/// container. So what `pip install --user` brings, and a history, are there for the next kernel.
package enum PrivateHome {
    /// Those from which programs and libraries may be run, first: an engine mounts /dev/shm without that.
    package static let places = ["/var/tmp", "/tmp", "/run", "/dev/shm"]

    /// Finds it, or makes it; nothing where nothing can be written.
    package static func path(for uid: UInt32, in places: [String] = places) -> String? {
        let (usual, noexec) = (places.filter { !isNoexec($0) }, places.filter(isNoexec))
        let paths = (usual + noexec).map { "\($0)/kernelrelay-home-\(uid)" }
        return paths.first(where: { isOwn($0, uid) })
            ?? paths.first { mkdir($0, 0o700) == 0 && isOwn($0, uid) }
    }

    /// Everybody may make a folder of that name in these places: only the user's own is taken, and no link.
    private static func isOwn(_ path: String, _ uid: UInt32) -> Bool {
        var facts = stat()
        return lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR && facts.st_uid == uid
            && facts.st_mode & 0o022 == 0 && access(path, W_OK | X_OK) == 0
    }

    private static func isNoexec(_ path: String) -> Bool {
        var facts = statvfs()
        let noexec: UInt = 8
        return statvfs(path, &facts) == 0 && UInt(facts.f_flag) & noexec != 0
    }
}
