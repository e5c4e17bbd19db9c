import Glibc
import Host
import RelayLink

/// What a project's kernel would be in a folder, and where each part of that was said. Of variables it tells the names.
struct ProjectReport {
    private let folder: String
    /// Nothing where none was written.
    private let installed: InstalledSpec?
    private let choice: ProjectChoice

    /// Prints one for each kernel for projects that Jupyter shows: each may allow other containers, and say other values.
    static func show(_ folder: String, _ folders: JupyterFolders, asJSON: Bool) throws -> Int32 {
        var kernels: [InstalledSpec?] = InstalledSpec.all(folders).filter {
            $0.spec.isOfProject && !$0.isShadowed
        }
        if kernels.isEmpty { kernels = [nil] }
        var reports: [ProjectReport] = []
        var code: Int32 = 0
        for kernel in kernels {
            do throws(RelayError) {
                reports.append(try ProjectReport(folder, kernel))
            } catch {
                // What one may not do another may.
                let whose = kernels.count > 1 ? "\(kernel?.name ?? ""): " : ""
                Complaint.say("relayd: \(whose)\(error)")
                code = error.code.exitCode
            }
        }
        if asJSON {
            print(try SpecReport.json(.array(reports.map(\.json)), as: "projects"))
        } else if !reports.isEmpty {
            print(reports.map(\.text).joined(separator: "\n\n"))
        }
        return code
    }

    private init(_ folder: String, _ installed: InstalledSpec?) throws(RelayError) {
        let real = realpath(folder, nil)
        defer { free(real) }
        self.folder = real.map { String(cString: $0) } ?? folder
        self.installed = installed
        var caller = CurrentEnvironment.variables
        // Jupyter hands on what kernel.json's own `env` has.
        for (name, value) in installed?.spec.variables ?? [:] {
            caller["\(ProjectVariables.env)\(name)"] = value
        }
        let project = ControlRequest.Launch.Project(
            host: "\(getuid()):\(getgid())", overrides: ProjectVariables.read(caller),
            allow: installed?.spec.values("--allow") ?? [])
        choice = try ProjectChoice.make(installed?.spec.projectValues ?? ProjectValues(), project, in: folder)
    }

    private var text: String {
        var rows = [
            ["kernel.json", installed?.file ?? "none: relayd add --project writes one", ""],
            ["file", choice.file ?? "none", ""],
        ]
        rows += parts.map { [$0.name, $0.value ?? $0.usual, place($0) ?? "nobody says otherwise"] }
        return Table.text(rows.map { $0.map { printable($0, limit: 1000) } })
    }

    private struct Part {
        let name: String
        let key: ProjectChoice.Key
        /// Nothing where nobody said one.
        let value: String?
        /// What holds then.
        let usual: String
        let variable: String
    }

    private var parts: [Part] {
        let values = choice.values
        let fixed = [
            Part(
                name: "container", key: .container, value: values.container, usual: "",
                variable: ProjectVariables.container),
            Part(
                name: "command", key: .command, value: values.command, usual: "ipykernel",
                variable: ProjectVariables.command),
            Part(
                name: "user", key: .user, value: values.user, usual: "the container's own",
                variable: ProjectVariables.user),
            Part(
                name: "workdir", key: .workdir, value: values.workdir,
                usual: "where the notebook's folder is mounted", variable: ProjectVariables.workdir),
        ]
        return fixed
            + values.env.keys.sorted().map {
                Part(
                    name: "env \($0)", key: .env($0), value: "(set)", usual: "",
                    variable: "\(ProjectVariables.env)\($0)")
            }
    }

    private func place(_ part: Part) -> String? {
        choice.sources[part.key].map { source in
            switch source {
            case .kernelJSON: installed?.file ?? "kernel.json"
            case .file: choice.file ?? ProjectFile.name
            case .variable: part.variable
            }
        }
    }

    private var json: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        let values = parts.map { part -> JSONValue in
            // A variable's value is nobody's business here.
            var isVariable = false
            if case .env = part.key { isVariable = true }
            var fields: [String: JSONValue] = [
                "name": .string(part.name), "source": .string(word(choice.sources[part.key])),
                "place": text(place(part)),
            ]
            if !isVariable { fields["value"] = text(part.value) }
            return .object(fields)
        }
        return .object([
            "folder": .string(folder), "kernel_json": text(installed?.file), "file": text(choice.file),
            "values": .array(values),
        ])
    }

    private func word(_ source: ProjectChoice.Source?) -> String {
        switch source {
        case .kernelJSON: "kernel.json"
        case .file: "file"
        case .variable: "variable"
        case nil: "default"
        }
    }
}

extension Kernelspec {
    /// What it says itself of what a project's file may say.
    fileprivate var projectValues: ProjectValues {
        let caller = CurrentEnvironment.variables
        var env: [String: String] = [:]
        for word in values("--env") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            env[name] = parts.count == 2 ? String(parts[1]) : caller[name]
        }
        return ProjectValues(
            container: container.isEmpty ? nil : container, command: values("--cmd").last,
            user: values("--user").last, workdir: values("--workdir").last, env: env)
    }
}
