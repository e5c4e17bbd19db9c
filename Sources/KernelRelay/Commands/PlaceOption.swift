import Host

/// `--user`, `--sys-prefix` or `--prefix FOLDER`: one of Jupyter's places for kernels, in its own words.
enum PlaceOption {
    static let flags: Set<String> = ["--user", "--sys-prefix"]
    static let options: Set<String> = ["--prefix"]

    /// The place that was named, if any.
    static func read(_ words: inout Arguments) throws(HostError) -> JupyterFolders.Place? {
        var places: [JupyterFolders.Place] = []
        if words.flag("--user") { places.append(.user) }
        if words.flag("--sys-prefix") { places.append(.sysPrefix) }
        if let prefix = try words.value("--prefix") {
            guard !prefix.isEmpty else { throw HostError(.usage, "--prefix needs a folder") }
            places.append(.prefix(prefix))
        }
        guard places.count < 2 else {
            throw HostError(.usage, "only one of --user, --sys-prefix and --prefix can hold")
        }
        return places.first
    }

    /// Where to look: in that place alone, or wherever Jupyter does.
    static func folders(_ words: inout Arguments) throws -> JupyterFolders {
        let place = try read(&words)
        var folders = JupyterFolders(environment: CurrentEnvironment.variables)
        if let place { folders.only = try folders.kernels(place) }
        return folders
    }
}
