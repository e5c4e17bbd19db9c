/// What can be told of a command by its words alone.
package enum KnownCommand {
    /// `python… -m ipykernel_launcher`, with options of python's in between.
    package static func isIPykernel(_ words: [String]) -> Bool {
        guard let program = words.first.map(name), program.hasPrefix("python"),
            let option = words.firstIndex(of: "-m"), option + 1 < words.count,
            words[1..<option].allSatisfy({ $0.hasPrefix("-") })
        else { return false }
        return ["ipykernel", "ipykernel_launcher"].contains(words[option + 1])
    }

    /// It names an engine's client or compose, wherever that stands: behind `sudo`, or in a shell's line.
    package static func namesEngine(_ words: [String]) -> Bool {
        words.contains { word in
            word.split(whereSeparator: { $0.isWhitespace || ";|&()'\"".contains($0) })
                .contains { clients.contains(name(String($0))) }
        }
    }

    private static let clients: Set<String> = [
        "docker", "docker-compose", "nvidia-docker", "podman", "podman-compose", "podman-remote", "nerdctl",
    ]

    /// Where a kernel is started by a program that is known to start it in its own place, however it is written: many of
    /// these are scripts, or have one of their name put before them by a manager of versions.
    package static func startsHere(_ program: String) -> Bool {
        let name = name(program)
        return name.hasPrefix("python") || name.hasPrefix("pypy") || launchers.contains(name)
    }

    private static let launchers: Set<String> = [
        "R", "Rscript", "conda", "deno", "ipython", "java", "julia", "jupyter", "mamba", "micromamba", "node",
        "octave",
        "pipenv", "pixi", "poetry", "ruby", "sage", "scala", "uv",
    ]

    package static let shells: Set<String> = ["ash", "bash", "dash", "fish", "ksh", "mksh", "sh", "zsh"]

    /// Of a path.
    package static func name(_ program: String) -> String {
        program.split(separator: "/").last.map(String.init) ?? program
    }
}
