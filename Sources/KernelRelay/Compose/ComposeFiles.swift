import FoundationEssentials
import Glibc
import RelayLink

/// The files of one project, as compose would take them: those that are named, else those that it looks for. Once a file
/// is named compose looks for none, so that with ours all must be.
package struct ComposeFiles: Sendable, Equatable {
    /// In their order; the first one's folder is the project's.
    package private(set) var paths: [String]
    /// What the environment, or a file `.env`, calls the project.
    let projectName: String?

    /// - Parameters:
    ///   - named: by -f.
    ///   - folder: where this is run.
    ///   - major: of compose's release: the two look for the names in another order.
    package init(
        named: [String], in folder: String, environment: [String: String], major: Int
    ) throws(RelayError) {
        // Empty means unset, as in compose.
        func variable(_ name: String, _ file: [String: String]) -> String? {
            (environment[name] ?? file[name]).flatMap { $0.isEmpty ? nil : $0 }
        }
        let file = Self.dotEnv("\(folder)/.env")
        if !named.isEmpty {
            paths = named
        } else if let list = variable("COMPOSE_FILE", file) {
            let separator = variable("COMPOSE_PATH_SEPARATOR", file) ?? ":"
            paths = list.split(separator: separator).map(String.init)
        } else {
            paths = Self.search(from: folder, major: major)
        }
        guard !paths.isEmpty else {
            throw RelayError(.composeFiles, RelayLink.printable(folder), cause: "there is none here or above")
        }
        guard !paths.contains("-") else {
            throw RelayError(.composeFiles, "-f -", cause: "what comes by stdin cannot be read twice")
        }
        let project = Self.dotEnv("\(Self.folder(of: paths[0], from: folder))/.env")
        projectName = variable("COMPOSE_PROJECT_NAME", project.merging(file) { own, _ in own })
    }

    /// Where ours stands unless somebody says otherwise: beside the first.
    package var usualOutput: String {
        let parts = paths[0].split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return (parts + ["compose.kernelrelay.yml"]).joined(separator: "/")
    }

    func without(_ path: String) -> ComposeFiles {
        var files = self
        if files.paths.count > 1 { files.paths.removeAll { $0 == path } }
        return files
    }

    /// What compose calls the project where nothing says it: after the folder, in the letters that it allows.
    package func usualProject(from folder: String) -> String {
        if let projectName { return projectName }
        let own = Self.folder(of: paths[0], from: folder)
        let name =
            (realpath(own, nil).map { path in
                defer { free(path) }
                return String(cString: path)
            } ?? own).split(separator: "/").last.map { $0.lowercased() } ?? ""
        let legal = name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        return legal.isEmpty ? "default" : legal
    }

    /// - Parameter path: absolute, or from `folder`.
    private static func folder(of path: String, from folder: String) -> String {
        let whole = path.hasPrefix("/") ? path : "\(folder)/\(path)"
        return String(whole[..<(whole.lastIndex(of: "/") ?? whole.startIndex)])
    }

    // MARK: - What compose looks for

    private static func search(from start: String, major: Int) -> [String] {
        let old = ["docker-compose.yml", "docker-compose.yaml"]
        let new = major > 1 ? ["compose.yaml", "compose.yml"] : ["compose.yml", "compose.yaml"]
        let names = major > 1 ? new + old : old + new
        var folder = start
        while true {
            let there = names.filter { access("\(folder)/\($0)", F_OK) == 0 }
            if let first = there.first {
                let override = names.map(overridden).first { access("\(folder)/\($0)", F_OK) == 0 }
                return ([first] + (override.map { [$0] } ?? [])).map {
                    folder == start ? $0 : "\(folder)/\($0)"
                }
            }
            guard let slash = folder.lastIndex(of: "/"), folder != "/" else { return [] }
            folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
        }
    }

    private static func overridden(_ name: String) -> String {
        let dot = name.lastIndex(of: ".") ?? name.endIndex
        return "\(name[..<dot]).override\(name[dot...])"
    }

    /// Lines `NAME=VALUE`; nothing of what a shell would do with them.
    static func dotEnv(_ path: String) -> [String: String] {
        guard let bytes = try? PrivateFile.read(path, limit: 1 << 20) else { return [:] }
        var found: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let parts = line.trimmingPrefix { $0 == " " }.trimmingPrefix("export ").split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].hasPrefix("#") else { continue }
            var value = parts[1].trimmingPrefix { $0 == " " }
            while value.last == " " || value.last == "\r" { value.removeLast() }
            if let quote = value.first, "\"'".contains(quote), value.count > 1, value.last == quote {
                value = value.dropFirst().dropLast()
            }
            found[String(parts[0].filter { $0 != " " })] = String(value)
        }
        return found
    }
}
