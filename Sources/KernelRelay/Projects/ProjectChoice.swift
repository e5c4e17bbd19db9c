import Glibc
import RelayLink

/// What a kernel of a project will be, and where each part of that was said: a value, made of kernel.json's words, the
/// project's file and the caller's variables, of which each goes before the one before it.
package struct ProjectChoice: Sendable, Equatable {
    package enum Source: Sendable, Equatable {
        case kernelJSON, file, variable
    }

    package enum Key: Hashable, Sendable {
        case container, command, user, workdir
        case env(String)
    }

    package private(set) var values: ProjectValues
    /// Keys that nobody said anything of have none.
    package private(set) var sources: [Key: Source] = [:]
    /// The project's file, where there is one.
    package let file: String?

    package init(
        _ kernel: ProjectValues, file: (path: String, values: ProjectValues)?, overrides: ProjectValues
    ) {
        self.file = file?.path
        values = ProjectValues()
        lay(kernel, .kernelJSON)
        if let file { lay(file.values, .file) }
        lay(overrides, .variable)
    }

    private mutating func lay(_ layer: ProjectValues, _ source: Source) {
        func take(_ key: Key, _ path: WritableKeyPath<ProjectValues, String?>) {
            guard let value = layer[keyPath: path] else { return }
            values[keyPath: path] = value
            sources[key] = source
        }
        take(.container, \.container)
        take(.command, \.command)
        take(.user, \.user)
        take(.workdir, \.workdir)
        for (name, value) in layer.env {
            values.env[name] = value
            sources[.env(name)] = source
        }
    }

    /// As things are now.
    ///
    /// - Parameter folder: the notebook's.
    package static func make(
        _ kernel: ProjectValues, _ project: ControlRequest.Launch.Project, in folder: String
    ) throws(RelayError) -> ProjectChoice {
        var file: (path: String, values: ProjectValues)?
        var absence = ""
        switch try ProjectFile.look(from: folder) {
        case .found(let path, let bytes):
            file = (path, try ProjectReader.read(bytes, from: path))
            absence = "\(RelayLink.printable(path, limit: 1000)) names none"
        case .none(let reason): absence = reason
        }
        if let file, let container = file.values.container, !allows(project.allow, container) {
            throw RelayError(
                .projectContainer, RelayLink.printable(container),
                cause: "in \(RelayLink.printable(file.path, limit: 1000))")
        }
        let choice = ProjectChoice(kernel, file: file, overrides: project.overrides)
        guard choice.values.container != nil else { throw RelayError(.projectMissing, absence) }
        return choice
    }

    private static func allows(_ patterns: [String], _ container: String) -> Bool {
        patterns.isEmpty || patterns.contains { fnmatch($0, container, 0) == 0 }
    }
}
