import Glibc
import Host
import RelayLink

/// Where the kernel of a command on this host must listen.
enum HostCommand {
    /// Behind ports that are mapped to a container's a kernel must listen on all of that one's interfaces. On this host that
    /// would be for everybody, and so it is told to only where the ports may be mapped: kernel.json says so, the words name
    /// an engine, or they lead to a shell's script, which may.
    static func needsAllInterfaces(_ launch: ControlRequest.Launch) -> Bool {
        switch launch.route {
        case .published: return true
        case .line: return false
        case .auto, .bridge, .tunnel: break
        }
        let words = words(launch)
        if KnownCommand.namesEngine(words) { return true }
        guard let place = programPlace(words) else { return false }
        let program = words[place]
        if KnownCommand.startsHere(program) { return false }
        if KnownCommand.shells.contains(KnownCommand.name(program)) {
            // A line of its own shows what it does.
            return !words[place...].contains { $0.hasPrefix("-") && !$0.hasPrefix("--") && $0.contains("c") }
        }
        return isShellScript(program, launch)
    }

    static func namesEngine(_ launch: ControlRequest.Launch) -> Bool {
        KnownCommand.namesEngine(words(launch))
    }

    /// None where they cannot be read, which is refused elsewhere.
    private static func words(_ launch: ControlRequest.Launch) -> [String] {
        launch.command.flatMap { try? CommandWords.read($0) } ?? []
    }

    /// Behind `env` and what it sets.
    private static func programPlace(_ words: [String]) -> Int? {
        guard words.first.map(KnownCommand.name) == "env" else { return words.isEmpty ? nil : 0 }
        return words.indices.dropFirst().first { !words[$0].hasPrefix("-") && !words[$0].contains("=") }
    }

    private static func isShellScript(_ program: String, _ launch: ControlRequest.Launch) -> Bool {
        let isRelative = program.contains("/") && !program.hasPrefix("/")
        let name = isRelative ? "\(launch.folder)/\(program)" : program
        guard let path = ProgramLookup.find(name, environment: launch.hostEnvironment ?? [:]),
            let file = fopen(path, "re")
        else { return false }
        defer { fclose(file) }
        // As much of the first line as the system reads of it.
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = fread(&bytes, 1, bytes.count, file)
        let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }
        guard line.starts(with: "#!".utf8) else { return false }
        let words = String(decoding: line.dropFirst(2), as: UTF8.self).split {
            $0 == " " || $0 == "\t" || $0 == "\r"
        }
        return words.contains { KnownCommand.shells.contains(KnownCommand.name(String($0))) }
    }
}
