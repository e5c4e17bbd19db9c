/// Where a folder of the host is inside of a container, if anywhere.
package enum FolderMap {
    /// - Parameter folder: absolute, without links.
    package static func translate(_ folder: String, binds: [Container.Bind]) -> String? {
        // The innermost mount is the one that is seen.
        let mount = binds.filter { isInside(folder, $0.source) }.max { $0.source.count < $1.source.count }
        guard let mount else { return nil }
        let rest = folder.dropFirst(mount.source == "/" ? 0 : mount.source.count)
        if rest.isEmpty || rest == "/" { return mount.destination }
        return mount.destination == "/" ? String(rest) : mount.destination + rest
    }

    private static func isInside(_ folder: String, _ source: String) -> Bool {
        folder == source || source == "/" || folder.hasPrefix(source + "/")
    }
}
