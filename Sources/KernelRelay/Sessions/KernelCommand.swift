import Host

/// What is run in the container for a kernel.
enum KernelCommand {
    static let placeholder = "{connection_file}"

    /// The commands to try, the best first.
    ///
    /// - Parameters:
    ///   - command: as kernel.json has it, or nothing for the container's python with ipykernel.
    ///   - connectionFile: the host's path. Jupyter replaces the placeholder in all of argv, so that this is what
    ///     stands for it.
    ///   - trailing: what Jupyter appended.
    ///   - entrypoint: what the command is to be run through.
    static func candidates(
        _ command: String?, connectionFile: String, trailing: [String], entrypoint: [String] = []
    ) throws(Refusal) -> [[String]] {
        guard let command else {
            // An image that is a kernel.
            if KnownCommand.isIPykernel(entrypoint) { return [entrypoint + ["-f", placeholder] + trailing] }
            // Debian's images have only the first, others only the second.
            // Whether a program is there, a gate sees of the first word alone.
            return (entrypoint.isEmpty ? ["python3", "python"] : ["python3"]).map {
                // As ipykernel's own kernelspec has it: frozen modules have no lines to break at. Pythons that
                // know nothing of it ignore it.
                entrypoint + [$0, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", placeholder]
                    + trailing
            }
        }
        var words: [String]
        do throws(HostError) {
            // Before the words are told apart: the path may have spaces, and Jupyter quotes nothing.
            words = try CommandWords.read(replace(connectionFile, in: command))
        } catch {
            throw Refusal(.command, error.context)
        }
        guard let first = words.first, !first.isEmpty else { throw Refusal(.command, "it names no program") }
        if !words.contains(where: { $0.contains(placeholder) }) { words += ["-f", placeholder] }
        return [entrypoint + words + trailing]
    }

    private static func replace(_ path: String, in text: String) -> String {
        path.isEmpty ? text : text.replacing(path, with: placeholder)
    }
}
