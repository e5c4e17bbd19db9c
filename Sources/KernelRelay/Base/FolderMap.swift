import Glibc

/// Which folders and files of the host a container shows, and where: a path on one side, and what it is on the other.
package struct FolderMap: Sendable, Equatable {
    /// One bind mount.
    package struct Pair: Sendable, Hashable {
        /// On the host.
        package var outside: String
        package var inside: String

        package init(outside: String, inside: String) {
            self.outside = outside
            self.inside = inside
        }
    }

    package var pairs: [Pair]
    /// Where anything at all is mounted in the container.
    package var mounts: [String]

    package init(_ pairs: [Pair], mounts: [String] = []) {
        self.pairs = pairs
        self.mounts = mounts
    }

    /// With each folder also by its path without links: the engine has it as whoever made the container named it. Asks the
    /// file system.
    package var withRealPaths: FolderMap {
        var map = self
        map.pairs = pairs.flatMap { pair in
            guard let real = realpath(pair.outside, nil) else { return [pair] }
            defer { free(real) }
            let path = String(cString: real)
            // The given name first: what is inside is told by it.
            return path == pair.outside ? [pair] : [pair, Pair(outside: path, inside: pair.inside)]
        }
        return map
    }

    /// Where a path of the host is inside of the container, if anywhere.
    ///
    package func inside(_ path: String) -> String? {
        // The innermost mount is the one that is seen.
        let pair = pairs.filter { Self.isIn(path, $0.outside) }.max { $0.outside.count < $1.outside.count }
        guard let pair else { return nil }
        let found = Self.move(path, from: pair.outside, to: pair.inside)
        // Another mount on the way hides it: the same name there is another folder.
        let isHidden = (mounts + pairs.map(\.inside)).contains { mount in
            mount.count > pair.inside.count && Self.isIn(found, mount)
        }
        return isHidden ? nil : found
    }

    /// Which path of the host a path inside is, if any: what lies in a volume, or in the image, has none.
    package func outside(_ path: String) -> String? {
        let pair = pairs.filter { Self.isIn(path, $0.inside) }.max { $0.inside.count < $1.inside.count }
        guard let pair, !mounts.contains(where: { $0.count > pair.inside.count && Self.isIn(path, $0) })
        else {
            return nil
        }
        return Self.move(path, from: pair.inside, to: pair.outside)
    }

    private static func move(_ path: String, from old: String, to new: String) -> String {
        let rest = path.dropFirst(old == "/" ? 0 : old.count)
        return rest.isEmpty || rest == "/" ? new : (new == "/" ? "" : new) + rest
    }

    private static func isIn(_ path: String, _ folder: String) -> Bool {
        path == folder || folder == "/" || path.hasPrefix(folder + "/")
    }
}
