import Host
import RelayLink

/// What is said of a kernel in a container of its own, or on this host, where another one's advice would be of no use:
/// there is no container that could be started, looked into or mended.
extension Explanation.Maker {
    /// Nothing where the usual text fits.
    func refusedElsewhere(_ refusal: Refusal) -> Explanation? {
        if facts.isOnHost { return refusedOnHost(refusal) }
        guard let making = facts.making else { return nil }
        switch ErrorCode(rawValue: refusal.code) {
        case .imageMissing: return imageMissing(refusal, making)
        case .runRefused:
            return say(
                refusal,
                "Mend the arguments behind -- \(Self.inKernelJSON), or the image. As a command this is:",
                [command.plain("run --rm \(words(making.arguments))\(image(making))")])
        case .containerEnded:
            return say(
                refusal,
                "Look whether the image is for this processor, and whether an argument behind -- ends it:",
                [command.plain("image inspect --format '{{.Os}} {{.Architecture}}' \(image(making))")])
        case .containerMissing, .containerGone, .containerStopped:
            return say(refusal, "It was this kernel's own, and is removed. The next kernel gets another.")
        case .routeNone:
            return say(
                refusal,
                "Leave out what keeps its ports from being published, behind -- \(Self.inKernelJSON).")
        case .containerPaused, .engineUnreachable, .engineDenied, .portInUse: return nil
        case .launchTimeout:
            return say(
                refusal, details: facts.reached + LastLines.of(facts.tail, atMost: 4),
                "Give it more time with --launch-timeout 180 \(Self.inKernelJSON); an image that comes from afar is "
                    + "better fetched before:",
                [command.plain("pull \(image(making))")])
        case .gateLost, .gateSilent: return say(refusal, "Look at the engine's load; then try again.")
        default: return nil
        }
    }

    private func refusedOnHost(_ refusal: Refusal) -> Explanation? {
        if refusal.code == GateErrorCode.commandNotFound.rawValue {
            return say(
                refusal.code, "the command is not on this host: \(RelayLink.printable(facts.program ?? ""))",
                "Install it, or name its full path in --cmd; PATH is that of whoever started the kernel.")
        }
        switch ErrorCode(rawValue: refusal.code) {
        case .launchTimeout, .routeNone:
            return say(
                refusal, details: facts.reached + LastLines.of(facts.tail, atMost: 4),
                """
                The command must let its kernel listen at JUPYTER_SHELL_PORT and so on, and map these to \
                JUPYTER_SHELL_PORT_HOST and so on; the kernel must get to see the file JUPYTER_CONNECTION_FILE.
                """)
        case .gateLost, .gateSilent:
            return say(refusal, "Try again; relayd's log says more:", ["relayd logs"])
        default: return nil
        }
    }

    private func imageMissing(_ refusal: Refusal, _ making: ControlRequest.Launch.Making) -> Explanation {
        let near = NearestNames.of(making.image, among: facts.names)
        let details = near.isEmpty ? [] : ["near to that name: \(near.joined(separator: ", "))"]
        return say(
            refusal, details: details, "Build or import it, or compare its name with those that there are:",
            [command.plain("images")])
    }

    /// What a python lacks is put into another image, made from this one, or is this host's own.
    func lacking(_ interpreter: String) -> Explanation? {
        let found = ErrorCode.ipykernelMissing
        if facts.isOnHost {
            return say(
                found.rawValue, "this host's Python has no ipykernel: \(interpreter)", "Install it:",
                ["\(ShellWord.quote(interpreter)) -m pip install ipykernel"])
        }
        guard let making = facts.making else { return nil }
        let recipe = "FROM \(RelayLink.printable(making.image))\nRUN \(interpreter) -m pip install ipykernel"
        let lines = recipe.replacing("\n", with: "\\n")
        return say(
            found.rawValue,
            "\(found.entry.summary): \(interpreter), image \(RelayLink.printable(making.image))",
            "Name an image in --image that has it. This makes one:",
            ["printf '\(lines)' | \(command.plain("build --tag with-ipykernel -"))"])
    }

    private func image(_ making: ControlRequest.Launch.Making) -> String {
        ShellWord.quote(RelayLink.printable(making.image))
    }

    private func words(_ arguments: [String]) -> String {
        ClientWords.masked(arguments).map { ShellWord.quote(RelayLink.printable($0)) + " " }.joined()
    }

    private static let inKernelJSON = "in the kernel's kernel.json (`relayd show` names the file)"
}
