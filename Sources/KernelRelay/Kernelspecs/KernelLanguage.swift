import Host

/// The language that Jupyter asks a kernel.json for: what the program is called tells it mostly.
package enum KernelLanguage {
    /// - Parameter command: as it stands behind `--cmd`; nothing for ipykernel.
    package static func of(_ command: String?) -> String {
        guard let command, let program = try? CommandWords.read(command).first else { return "python" }
        let name = program.split(separator: "/").last.map(String.init) ?? program
        if name == "R" || name == "Rscript" { return "R" }
        return name.hasPrefix("julia") ? "julia" : "python"
    }

    /// As a launcher shows it.
    package static func title(_ language: String) -> String {
        language.prefix(1).uppercased() + language.dropFirst()
    }
}
