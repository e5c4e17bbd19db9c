/// What a notebook's project may say of a kernel, wherever it is said: in kernel.json, in the project's file, in the
/// caller's variables.
package struct ProjectValues: Sendable, Equatable {
    package var container: String?
    /// As in a launch: a list as JSON or as Python writes it, or shell words.
    package var command: String?
    package var user: String?
    package var workdir: String?
    package var env: [String: String]

    package init(
        container: String? = nil, command: String? = nil, user: String? = nil, workdir: String? = nil,
        env: [String: String] = [:]
    ) {
        self.container = container
        self.command = command
        self.user = user
        self.workdir = workdir
        self.env = env
    }
}

extension ControlRequest.Launch {
    /// The kernel is one of the notebook's project, whose file relayd reads at every attempt. It goes before what the
    /// launch itself says.
    package struct Project: Sendable, Equatable {
        /// Who `host` is where a file or `overrides` says so: the caller's uid:gid.
        package var host: String
        /// What the caller's variables say; it goes before the file.
        package var overrides: ProjectValues
        /// Patterns of the containers that the file may choose; any where there are none.
        package var allow: [String]

        package init(host: String, overrides: ProjectValues = ProjectValues(), allow: [String] = []) {
            self.host = host
            self.overrides = overrides
            self.allow = allow
        }
    }
}

extension ControlRequest.Launch.Project {
    var body: [String: JSON] {
        [
            "host": .string(host), "overrides": .object(overrides.body),
            "allow": .array(allow.map { .string($0) }),
        ]
    }

    init(_ fields: Fields) throws(GateError) {
        self.init(
            host: try fields.string("host"),
            overrides: try ProjectValues(Fields(.object(fields.map("overrides")), in: "overrides")),
            allow: try fields["allow"] == nil ? [] : fields.strings("allow"))
    }
}

extension ProjectValues {
    var body: [String: JSON] {
        var fields: [String: JSON] = ["env": .object(env.mapValues { .string($0) })]
        fields["container"] = container.map { .string($0) }
        fields["command"] = command.map { .string($0) }
        fields["user"] = user.map { .string($0) }
        fields["workdir"] = workdir.map { .string($0) }
        return fields
    }

    init(_ fields: Fields) throws(GateError) {
        self.init(
            container: try fields.optionalString("container"), command: try fields.optionalString("command"),
            user: try fields.optionalString("user"), workdir: try fields.optionalString("workdir"),
            env: try fields.variables("env"))
    }
}
