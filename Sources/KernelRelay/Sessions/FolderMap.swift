/// Where a folder of the host is inside of a container, if anywhere.
package enum FolderMap {
    /// - Parameters:
    ///   - folder: absolute, without links.
    ///   - mounts: where anything at all is mounted in the container.
    package static func translate(
        _ folder: String, binds: [Container.Bind], mounts: [String] = []
    ) -> String? {
        // The innermost mount is the one that is seen.
        let bind = binds.filter { isInside(folder, $0.source) }.max { $0.source.count < $1.source.count }
        guard let bind else { return nil }
        let rest = folder.dropFirst(bind.source == "/" ? 0 : bind.source.count)
        let root = bind.destination == "/" ? "" : bind.destination
        let path = rest.isEmpty || rest == "/" ? bind.destination : root + rest
        // Another mount on the way hides it: the same name there is another folder.
        let isHidden = (mounts + binds.map(\.destination)).contains { mount in
            mount.count > bind.destination.count && isInside(path, mount)
        }
        return isHidden ? nil : path
    }

    private static func isInside(_ folder: String, _ source: String) -> Bool {
        folder == source || source == "/" || folder.hasPrefix(source + "/")
    }
}
