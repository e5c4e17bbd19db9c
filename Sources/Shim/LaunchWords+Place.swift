import Host
import RelayLink

/// Where the kernel is to run: in a container that is there, in one that is made for it, or on this host.
extension LaunchWords {
    mutating func choosePlace(for launch: inout ControlRequest.Launch) throws(HostError) {
        let container = try ours.value("--container")
        let image = try ours.value("--image")
        switch (container, image) {
        // Where a project chooses, one of kernel.json's is for folders without a file.
        case (_, nil) where launch.project != nil: launch.container = container ?? ""
        case (let container?, nil) where !container.isEmpty: launch.container = container
        case (nil, let image?) where !image.isEmpty:
            let variables = RunArguments.variables(in: run)
            launch.making = .init(image: image, arguments: RunArguments.without(variables, run))
        case (nil, _?) where launch.project != nil:
            throw HostError(.usage, "--project and --image exclude each other")
        case (_?, _?): throw HostError(.usage, "--container and --image exclude each other")
        case (nil, nil) where launch.command != nil: launch.hostEnvironment = hostEnvironment
        default: throw missing(image == nil ? "--container" : "--image")
        }
    }

    /// On the host the command is what the caller would have started himself, and gets all that it has.
    private var hostEnvironment: [String: String] {
        caller.variables.filter { name, _ in
            name != "JPY_PARENT_PID" && !name.hasPrefix("KERNELRELAY_ENV_") && !name.contains("=")
        }
    }

    /// ipykernel itself on this host needs no port that others could reach. Any other command may lead anywhere.
    func usualTransport(_ launch: ControlRequest.Launch) -> GateRequest.Launch.Transport {
        guard launch.hostEnvironment != nil, let text = launch.command,
            let words = try? CommandWords.read(text)
        else { return .ipc }
        return KnownCommand.isIPykernel(words) ? .ipc : .tcp
    }
}
