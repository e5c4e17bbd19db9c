import RelayLink

/// The caller's variables that go before a project's file, one for each of its keys.
package enum ProjectVariables {
    package static let container = "KERNELRELAY_CONTAINER"
    package static let command = "KERNELRELAY_COMMAND"
    package static let user = "KERNELRELAY_USER"
    package static let workdir = "KERNELRELAY_WORKDIR"
    /// In front of the name of a variable for the kernel.
    package static let env = "KERNELRELAY_ENV_"

    static let names: Set<String> = [container, command, user, workdir]

    package static func read(_ caller: [String: String]) -> ProjectValues {
        // An empty one is one that somebody could not unset.
        func value(_ name: String) -> String? { caller[name].flatMap { $0.isEmpty ? nil : $0 } }
        var env: [String: String] = [:]
        for (name, value) in caller where name.hasPrefix(Self.env) && name.count > Self.env.count {
            env[String(name.dropFirst(Self.env.count))] = value
        }
        return ProjectValues(
            container: value(container), command: value(command), user: value(user), workdir: value(workdir),
            env: env)
    }
}
