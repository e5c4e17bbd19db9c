import FoundationEssentials
import Glibc
import Host
import RelayLink

extension Subcommand {
    static let list = Subcommand(
        name: "list",
        summary: "list the kernels that `relayd add` wrote",
        usage: """
            usage: relayd list [--user|--sys-prefix|--prefix FOLDER] [--json]

            Looks where Jupyter does; --user, --sys-prefix and --prefix in that place alone.
            """
    ) { words in
        var arguments = try Arguments(
            words, options: PlaceOption.options, flags: PlaceOption.flags.union(["--json"]))
        let asJSON = arguments.flag("--json")
        let folders = try PlaceOption.folders(&arguments)
        try arguments.finish()
        let all = InstalledSpec.all(folders)
        if asJSON {
            print(try SpecReport.json(.array(all.map(SpecReport.fields)), as: "kernelspecs"))
        } else {
            print(SpecReport.table(all), terminator: "")
        }
        return 0
    }

    static let show = Subcommand(
        name: "show",
        summary: "show what a kernel will run, and where its parts are",
        usage: """
            usage: relayd show NAME [--user|--sys-prefix|--prefix FOLDER] [--json]
                   relayd show --project [FOLDER] [--user|--sys-prefix|--prefix FOLDER] [--json]

              --project   what each kernel for projects would be in FOLDER, else in this folder, and who says so:
                          kernel.json, .kernelrelay.json, or a variable of this shell
            """
    ) { words in
        var arguments = try Arguments(
            words, options: PlaceOption.options, flags: PlaceOption.flags.union(["--json", "--project"]))
        let asJSON = arguments.flag("--json")
        let folders = try PlaceOption.folders(&arguments)
        if arguments.flag("--project") {
            let folder = arguments.operand() ?? "."
            try arguments.finish()
            return try ProjectReport.show(folder, folders, asJSON: asJSON)
        }
        let name = try arguments.operand("NAME")
        try arguments.finish()
        let installed = try InstalledSpec.named(name, folders)
        print(
            asJSON
                ? try SpecReport.json(SpecReport.fields(installed), as: "kernelspec")
                : SpecReport.details(installed))
        return 0
    }

    static let remove = Subcommand(
        name: "remove",
        summary: "take kernels away that `relayd add` wrote",
        usage: """
            usage: relayd remove [--user|--sys-prefix|--prefix FOLDER] NAME...
                   relayd remove --all [--user|--sys-prefix|--prefix FOLDER]

              --all   every kernel that `relayd add` wrote, and no other: those that were discovered stay
            """
    ) { words in
        var arguments = try Arguments(
            words, options: PlaceOption.options, flags: PlaceOption.flags.union(["--all"]))
        let folders = try PlaceOption.folders(&arguments)
        if arguments.flag("--all") {
            try arguments.finish()
            return removeAll(folders)
        }
        var found = [try InstalledSpec.named(try arguments.operand("NAME"), folders)]
        while let name = arguments.operand() { found.append(try InstalledSpec.named(name, folders)) }
        try arguments.finish()
        // All names are looked at before anything goes: a slip in the last one costs nothing.
        for installed in found {
            try SpecFolder.remove(installed)
            print("removed \(installed.name)  \(installed.folder)")
        }
        return 0
    }
}

/// Whatever is in the way of one is said, and holds up no other.
private func removeAll(_ folders: JupyterFolders) -> Int32 {
    // What was discovered comes and goes with its container, and would be back at once.
    let all = InstalledSpec.all(folders).filter { !$0.isDiscovered }
    if all.isEmpty { print("no kernel was written by `relayd add`") }
    var code: Int32 = 0
    for installed in all {
        do {
            try SpecFolder.remove(installed)
            print("removed \(installed.name)  \(installed.folder)")
        } catch {
            Complaint.say("relayd: \(installed.name) stays: \(error)")
            code = error.code.exitCode
        }
    }
    return code
}

/// Kernels, for people and for programs.
enum SpecReport {
    static func fields(_ installed: InstalledSpec) -> JSONValue {
        .object([
            "name": .string(installed.name), "display_name": .string(installed.spec.displayName),
            "container": container(installed.spec),
            "image": installed.spec.image.map { .string($0) } ?? .null,
            "language": .string(installed.spec.language),
            "interrupt_mode": .string(installed.spec.interruptMode.rawValue),
            "folder": .string(installed.folder), "shadowed": .bool(installed.isShadowed),
            "discovered": .bool(installed.isDiscovered),
            "program": .string(installed.spec.program),
            "program_there": .bool(access(installed.spec.program, X_OK) == 0),
            "argv": .array(installed.spec.argv.map { .string($0) }),
        ])
    }

    private static func container(_ spec: Kernelspec) -> JSONValue {
        spec.container.isEmpty ? .null : .string(spec.container)
    }

    private static func whose(_ spec: Kernelspec) -> String {
        let container = spec.container
        guard spec.isOfProject else { return spec.placeName }
        return container.isEmpty ? "the project's" : "the project's, else \(container)"
    }

    static func json(_ value: JSONValue, as name: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let whole = JSONValue.object(["schema_version": .whole(1), name: value])
        return String(decoding: try encoder.encode(whole), as: UTF8.self)
    }

    static func table(_ all: [InstalledSpec]) -> String {
        guard !all.isEmpty else { return "no kernel was written by `relayd add`\n" }
        var rows = [["NAME", "CONTAINER", "DISPLAY NAME", "FOLDER"]]
        rows += all.map { installed in
            [
                installed.name, whose(installed.spec), installed.spec.displayName,
                installed.folder + (installed.isShadowed ? "  (hidden by another of this name)" : "")
                    + (installed.isDiscovered ? "  (discovered)" : ""),
            ].map { printable($0, limit: 500) }
        }
        return Table.text(rows) + "\n"
    }

    static func details(_ installed: InstalledSpec) -> String {
        let spec = installed.spec
        let missing = access(spec.program, X_OK) == 0 ? "" : "  (not there)"
        var lines = [
            ("name", installed.name), ("display name", spec.displayName), ("container", whose(spec)),
            ("language", spec.language), ("interrupts", "by \(spec.interruptMode.rawValue)"),
            ("kernel.json", installed.file), ("program", spec.program + missing),
            ("runs", spec.argv.map(ShellWord.quote).joined(separator: " ")),
        ]
        if installed.isDiscovered {
            lines.append(("discovered", "goes when the container does"))
        }
        if installed.isShadowed { lines.append(("hidden", "by another kernel of this name")) }
        return lines.map { name, value in
            let gap = String(repeating: " ", count: 14 - name.count)
            return "\(name)\(gap)\(printable(value, limit: 4000))"
        }.joined(separator: "\n")
    }
}
