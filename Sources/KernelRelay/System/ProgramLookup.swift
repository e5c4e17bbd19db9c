import Host

/// Finds programs as a shell does, but by an environment that is given.
package enum ProgramLookup {
    /// What a shell uses where `PATH` is not set.
    private static let usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The file that `name` means, if there is one that may be run. A name with a slash is a path already.
    package static func find(_ name: String, environment: [String: String]) -> String? {
        if name.isEmpty { return nil }
        if name.contains("/") { return isProgram(name) ? name : nil }
        for folder in (environment["PATH"] ?? usual).split(separator: ":") {
            let path = "\(folder)/\(name)"
            if isProgram(path) { return path }
        }
        return nil
    }
}
