import Glibc
import RelayLink

/// The container itself: there, running, of a fitting processor, with an init and memory.
extension Check {
    static let container: [Check] = [state, architecture, memory, initProcess]

    static let state = Check("container", needs: ["server"]) { chart in
        let name = chart.subject.container ?? ""
        let found: Container
        do throws(RelayError) {
            found = try await chart.subject.engine.container(name)
        } catch {
            guard error.code == .containerMissing else { return .bad(error) }
            let reference = try? ContainerReference(name)
            let names = await chart.subject.engine.names(like: reference ?? .name(name))
            let near = NearestNames.of(name, among: names)
            let offer = near.isEmpty ? "" : "; near: \(near.joined(separator: ", "))"
            return .bad(
                "\(error.code.entry.summary): \(RelayLink.printable(name))\(offer)",
                near.first.map { "relayd doctor \(ShellWord.quote($0))" }
                    ?? chart.subject.typed("ps", "--all"),
                code: error.code.rawValue)
        }
        chart.container = found
        let asked = chart.subject.engine.command(["inspect", "--type", "container", found.id])
        if let answer = try? await asked.run(), answer.succeeded {
            chart.facts = try? InspectFacts(inspect: answer.output)
        }
        let taken =
            found.state == .running
            ? [] : (chart.facts?.bindings ?? []).sorted().filter { !HostPorts.isFree($0) }
        return judge(found, chart.facts, takenPorts: taken, chart.subject)
    }

    package static func judge(
        _ container: Container, _ facts: InspectFacts?, takenPorts: [UInt16], _ subject: Chart.Subject
    ) -> Finding {
        let name = container.name
        switch container.state {
        case .running:
            let killed = facts?.ranOutOfMemory == true
            let text = "\(name) runs \(RelayLink.printable(container.image))"
            // The flag may speak of a process long ago: a warning, and no failure.
            return killed
                ? .warning("\(text); its memory limit has killed processes", "relayd status")
                : .good(text)
        case .paused:
            return .bad(RelayError(.containerPaused, name), subject.typed("unpause", name))
        case .restarting:
            return .bad(
                "\(name) restarts again and again, with exit code \(container.exitCode)",
                subject.typed("logs", "--tail", "20", name), code: ErrorCode.containerStopped.rawValue)
        default:
            var cause = "it \(container.state.text)"
            if container.exitCode != 0 { cause += ", exit code \(container.exitCode)" }
            if facts?.ranOutOfMemory == true { cause += ", killed by its memory limit" }
            if !container.failure.isEmpty { cause += ": \(container.failure)" }
            if !takenPorts.isEmpty {
                cause += "; of its ports on this host these are taken now: "
                cause += takenPorts.map(String.init).joined(separator: ", ")
            }
            return .bad(
                RelayError(.containerStopped, name, cause: RelayLink.printable(cause, limit: 300)),
                subject.typed("start", name))
        }
    }

    static let architecture = Check("architecture", needs: ["container", "relay-shim"]) { chart in
        guard let gate = chart.shim?.architecture else {
            return .warning("relay-shim is for a processor that is not known here")
        }
        let image = chart.facts?.imageID ?? ""
        guard !image.isEmpty, !image.hasPrefix("-"),
            let answer = try? await chart.subject.engine.command([
                "image", "inspect", "--format", "{{.Architecture}}", image,
            ]).run(), answer.succeeded
        else { return .skipped("the engine does not tell the image's") }
        let theirs = RelayLink.printable(answer.text.filter { !$0.isWhitespace })
        return judge(gate: gate, image: theirs, server: chart.serverArchitecture)
    }

    /// The gate runs on the engine's processor, whatever the image is for.
    package static func judge(gate: String, image: String, server: String?) -> Finding {
        if let server, server != gate {
            return .bad(
                RelayError(
                    .gateArchitecture,
                    "the engine runs on \(RelayLink.printable(server)), relay-shim is for \(gate)"))
        }
        if image != gate {
            return .warning(
                "the image is for \(image), this engine for \(gate): its programs are emulated, and slow")
        }
        return .good("image and relay-shim are for \(gate)")
    }

    static let memory = Check("memory", needs: ["container"]) { chart in
        judge(memory: chart.facts?.memoryLimit, name: chart.container?.name ?? "", chart.subject)
    }

    package static func judge(memory limit: Int64?, name: String, _ subject: Chart.Subject) -> Finding {
        guard let limit else { return .good("no limit") }
        let text = "limit \(limit >> 20) MiB"
        // A bare ipykernel has 60 MiB; pandas and a plot make 200 of it.
        guard limit < 256 << 20 else { return .good(text) }
        return .warning(
            "\(text): little for a Python that imports something",
            subject.typed("update", "--memory", "1g", "--memory-swap", "2g", name))
    }

    static let initProcess = Check("init", needs: ["container"]) { chart in
        guard let facts = chart.facts else { return .skipped("inspect does not tell") }
        return judge(initOf: facts)
    }

    /// By the name of the first process: one that collects the dead, or one that was not made for it.
    package static func judge(initOf facts: InspectFacts) -> Finding {
        if facts.hasInit { return .good("the engine's own reaps what ends") }
        let program = facts.command.split(separator: "/").last.map(String.init) ?? ""
        let known: Set = [
            "tini", "tini-static", "dumb-init", "catatonit", "s6-svscan", "systemd", "init", "bash",
        ]
        if known.contains(program) { return .good("\(RelayLink.printable(program)) reaps what ends") }
        return .warning(
            "\(program.isEmpty ? "the first process" : RelayLink.printable(program)) may not reap: what outlives a gate stays as a zombie",
            "start the container with --init, as relayd up does")
    }
}
