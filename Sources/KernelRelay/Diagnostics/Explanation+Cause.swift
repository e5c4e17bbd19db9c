import Host
import RelayLink

/// One text for each cause: a pure function of what was refused, or of how a kernel ended, and of what is known of the
/// launch.
extension Explanation {
    package enum Cause: Sendable, Equatable {
        case refused(Refusal)
        case ended(GateReport.Exit)
    }

    package init(_ cause: Cause, _ facts: LaunchFacts) {
        let make = Maker(facts: facts, command: CommandLineText(facts))
        switch cause {
        case .refused(let refusal): self = make.refused(refusal)
        case .ended(let exit): self = make.ended(exit)
        }
    }

    struct Maker {
        let facts: LaunchFacts
        let command: CommandLineText

        private var outlook: String {
            if facts.endsShim {
                return (facts.hasRun ? "The variables are gone. " : "")
                    + "No other kernel comes: --on-failure exit."
            }
            return facts.mayLive
                ? "The kernel and its variables may be there still. The next cell looks for it again."
                : facts.hasRun
                    ? "The variables are gone. The next cell starts a new kernel."
                    : "The next cell tries again."
        }

        func say(
            _ code: String, _ text: String, details: [String] = [], _ advice: String,
            _ commands: [String] = []
        ) -> Explanation {
            Explanation(
                code: code, text: text, details: details, advice: advice, commands: commands,
                outlook: outlook)
        }

        func say(
            _ refusal: Refusal, details: [String] = [], _ advice: String, _ commands: [String] = []
        ) -> Explanation {
            var said = say(refusal.code, refusal.message, details: details, advice, commands)
            said.finding = refusal.finding
            return said
        }

        // MARK: - A launch that came to nothing

        func refused(_ refusal: Refusal) -> Explanation {
            if let said = refusedElsewhere(refusal) { return said }
            if let successor = facts.successor { return recreated(refusal, successor) }
            switch ErrorCode(rawValue: refusal.code) {
            case .engineUnreachable: return engineUnreachable(refusal)
            case .engineDenied:
                return say(
                    refusal, "Join the engine's group, log in again, and restart Jupyter:",
                    ["sudo usermod -aG docker \"$USER\""])
            case .containerMissing: return containerMissing(refusal)
            case .containerStopped: return say(refusal, "Start it:", [command.on("start")])
            case .containerPaused: return say(refusal, "Go on with it:", [command.on("unpause")])
            case .containerGone: return containerGone(refusal)
            case .containerIdle, .containerLifetime:
                return say(refusal, "Start it again:", [command.on("start")])
            case .routeNone: return routeNone(refusal)
            case .portsForeign: return portsForeign(refusal)
            case .portInUse: return portInUse(refusal)
            case .launchTimeout:
                return say(
                    refusal, details: facts.reached + LastLines.of(facts.tail, atMost: 4),
                    "Give it more time with --launch-timeout 180 \(Self.inItsWords), or look what it is doing:",
                    [command.on("top")])
            case .gateUser:
                return say(
                    refusal, "Use one that it knows:",
                    [CommandLineText(unnamed).exec(["cat", "/etc/passwd"])])
            case .gateLost:
                return say(refusal, "Look whether the container is well:", [command.on("logs --tail 20")])
            case .relaydStopped:
                var said = say(refusal, refusal.remedy)
                said.outlook = "The variables are gone."
                return said
            case .gateSilent: return say(refusal, "Look at its load:", [command.on("stats --no-stream")])
            case .engineFailed, .engineTimeout:
                return say(
                    refusal, "Look at the engine's load and its log. This must answer:",
                    [command.plain("version")])
            default: return refusedByGate(refusal)
            }
        }

        private func refusedByGate(_ refusal: Refusal) -> Explanation {
            guard refusal.code == GateErrorCode.commandNotFound.rawValue else {
                return say(refusal, refusal.remedy)
            }
            guard let program = facts.entrypoint ?? facts.program else {
                let found = ErrorCode.pythonMissing
                return say(
                    found.rawValue, "\(found.entry.summary): \(name)\(image)",
                    """
                    Use an image that has it, or name the interpreter where it is, with --cmd \
                    '/PATH/TO/python -m ipykernel_launcher -f {connection_file}' \(Self.inItsWords). On Debian and its \
                    like this installs one, for as long as the container lasts:
                    """, [aptInstall])
            }
            return say(
                refusal, "Install it in the container, or name its full path in --cmd. This finds it:",
                [
                    command.exec([
                        "find", "/", "-name", String(program.split(separator: "/").last ?? ""), "-type", "f",
                    ])
                ])
        }

        private func engineUnreachable(_ refusal: Refusal) -> Explanation {
            // Of an engine of the caller's own choice nobody knows here how it is started.
            guard !facts.namesEngine, facts.client.last == "docker" else {
                return say(
                    refusal, "Start it, or check DOCKER_HOST and the context. This must answer:",
                    [command.plain("version")])
            }
            return say(refusal, "Start it:", ["sudo systemctl start docker"])
        }

        private func containerMissing(_ refusal: Refusal) -> Explanation {
            let near = NearestNames.of(facts.wanted, among: facts.names)
            guard let first = near.first else {
                if let start = command.startsService {
                    return say(refusal, "Start the service, in its project's folder:", [start])
                }
                return say(
                    refusal, "Make it, or compare the name with those that there are:",
                    [command.plain("ps -a")])
            }
            let list = near.map { RelayLink.printable($0) }.joined(separator: ", ")
            return say(
                refusal, details: ["near to that name: \(list)"],
                "Make it, or give that name to one that is there; or write another kernel, and choose it then:",
                ["relayd add --container \(ShellWord.quote(first))"])
        }

        private func containerGone(_ refusal: Refusal) -> Explanation {
            if refusal.finding == ErrorCode.containerMissing.rawValue {
                if let start = command.startsService {
                    return say(
                        refusal, "It was removed. Start the service again, in its project's folder:", [start])
                }
                return say(refusal, "It was removed. Make it again, and compare:", [command.plain("ps -a")])
            }
            return say(refusal, "Start it again:", [command.on("start")])
        }

        private func recreated(_ refusal: Refusal, _ successor: LaunchFacts.Successor) -> Explanation {
            let found = ErrorCode.containerRecreated
            let new = "\(RelayLink.printable(successor.name)) is \(successor.id.prefix(12)) now"
            var said = say(
                found.rawValue,
                "\(found.entry.summary): \(new), and the kernel was in \(successor.formerID.prefix(12))",
                successor.isUp
                    ? "Run the cell again, or restart the kernel: the new one runs in the new container."
                    : "Start it:", successor.isUp ? [] : [command.on("start", successor.name)])
            said.finding = refusal.code
            return said
        }

        private func routeNone(_ refusal: Refusal) -> Explanation {
            let alone = facts.route.map { "Leave out --route \($0), or make" } ?? "Make"
            let image = facts.image.isEmpty ? "IMAGE" : ShellWord.quote(RelayLink.printable(facts.image))
            return say(
                refusal,
                "\(alone) a container that publishes its ports; one that is there cannot be given any:",
                ["relayd up \(image)"])
        }

        private func portsForeign(_ refusal: Refusal) -> Explanation {
            say(
                refusal,
                """
                Leave out --route published, or use --route tunnel, which needs no port, \(Self.inItsWords). \
                These run in the container:
                """,
                [command.on("top")])
        }

        private func portInUse(_ refusal: Refusal) -> Explanation {
            let end = refusal.message.firstRange(of: " (")?.lowerBound ?? refusal.message.endIndex
            let port = refusal.message[..<end].split(separator: ":").last.flatMap { UInt16($0) }
            return say(
                refusal, "End what holds it, or restart the kernel: Jupyter then draws other ports.",
                port.map { ["ss -ltnp 'sport = :\($0)'"] } ?? [])
        }

        // MARK: - A kernel that ended

        func ended(_ exit: GateReport.Exit) -> Explanation {
            if exit.oomKilled { return outOfMemory() }
            let (how, code) = Self.manner(exit.cause)
            if facts.hasRun {
                let error = HostError(code, how)
                let last = LastLines.of(exit.tail)
                let advice =
                    code == .kernelKilled
                    ? "If nobody sent that signal, the kernel crashed."
                    : last.isEmpty
                        ? "It wrote nothing to say why." : "These are the last lines that it wrote."
                return say(error.code.rawValue, error.message, details: last, advice)
            }
            if let interpreter = LastLines.interpreterWithoutIpykernel(exit.tail) {
                return ipykernelMissing(interpreter)
            }
            if facts.program == nil, LastLines.lacksIpykernel(exit.tail) {
                return ipykernelMissing("python3")
            }
            let error = RelayError(.kernelStart, how)
            return say(
                error.code.rawValue, "\(error.code.entry.summary): \(how)", details: LastLines.of(exit.tail),
                facts.program == nil
                    ? "Read what it wrote. This must work:" : "Read what it wrote; then mend that, or --cmd.",
                facts.program == nil ? [command.exec(["python3", "-c", "import ipykernel"])] : [])
        }

        private static func manner(_ cause: GateReport.Exit.Cause) -> (String, HostErrorCode) {
            switch cause {
            case .code(let code): return ("exit code \(code)", .kernelFailed)
            case .signal(let number, let core):
                let name = SignalName.text(number).map { " (\($0))" } ?? ""
                return ("signal \(number)\(name)\(core ? ", core dumped" : "")", .kernelKilled)
            }
        }

        private func ipykernelMissing(_ interpreter: String) -> Explanation {
            let found = ErrorCode.ipykernelMissing
            if let said = lacking(interpreter) { return said }
            var commands = [command.exec([interpreter, "-m", "pip", "install", "ipykernel"])]
            // The system's own python often refuses pip.
            if interpreter.hasPrefix("/usr/bin/") {
                commands.append(aptInstall)
            }
            return say(
                found.rawValue, "\(found.entry.summary): \(interpreter) in \(name)",
                commands.count == 1
                    ? "Install it:" : "Install it by pip, or, on Debian and its like, by apt-get:", commands)
        }

        private var aptInstall: String {
            let words = "apt-get update && apt-get install -y python3-ipykernel"
            return command.exec(["sh", "-c", words], as: "0")
        }

        private func outOfMemory() -> Explanation {
            let error = HostError(.kernelOutOfMemory)
            guard facts.memoryLimit > 0 else {
                return say(
                    error.code.rawValue, error.message,
                    "Use less memory in the notebook. The container itself has no limit now: it was this host's memory, or "
                        + "a limit around the container.")
            }
            // An engine may say anything; to double this must not be too much.
            let (limit, swap) = (min(facts.memoryLimit, .max / 4), min(facts.swapLimit, .max / 4))
            let more = limit * 2
            var words = "update --memory \(Self.megabytes(more))"
            // A limit above that of memory and swap together is refused.
            if swap > 0 {
                words += " --memory-swap \(Self.megabytes(max(more, swap + limit)))"
            }
            let text = "\(error.message): \(Self.megabytes(limit))"
            if facts.making != nil {
                return say(
                    error.code.rawValue, text,
                    "Use less memory in the notebook, or say --memory \(Self.megabytes(more)) behind -- "
                        + "in kernel.json.")
            }
            return say(
                error.code.rawValue, text, "Use less memory in the notebook, or give the container more:",
                [command.on(words)])
        }

        private static func megabytes(_ bytes: Int64) -> String { "\(max(1, bytes >> 20))m" }

        // MARK: -

        private var name: String { RelayLink.printable(facts.container) }
        private var image: String { facts.image.isEmpty ? "" : ", image \(RelayLink.printable(facts.image))" }
        private var unnamed: LaunchFacts {
            var facts = facts
            facts.user = nil
            return facts
        }

        /// `relayd add --replace` would write it anew, without what else stands there.
        private static let inItsWords =
            "before the -- in the kernel's kernel.json (`relayd show` names the file)"
    }
}
