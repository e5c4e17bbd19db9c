/// What `relayd up` and `relayd ports` write on a container. Anybody may read labels: there is no secret in them.
package enum Labels {
    package static let prefix = "io.github.kernelrelay."
    /// Made by `relayd up`, and so removed by `relayd down`. The value tells two that were made at once apart.
    package static let madeByUp = "io.github.kernelrelay.up"
    /// Made for one kernel, whose id it has, and removed with it.
    package static let madeForKernel = "io.github.kernelrelay.kernel"
    /// The release that wrote the labels.
    package static let release = "io.github.kernelrelay.release"
    /// Which container port is for which channel.
    package static let ports = "io.github.kernelrelay.ports"

    /// What compose writes on the containers that it makes, and podman-compose too.
    package static let composeProject = "com.docker.compose.project"
    package static let composeService = "com.docker.compose.service"
    package static let composeOneOff = "com.docker.compose.oneoff"
    /// On containers alone: an image that compose has built carries the project and the service too.
    package static let composeNumber = "com.docker.compose.container-number"

    /// What a person, or an image, writes: by the first a container is discovered, the others say how its kernel is
    /// started.
    package static let displayName = "io.github.kernelrelay.display-name"
    package static let command = "io.github.kernelrelay.command"
    package static let user = "io.github.kernelrelay.user"
    package static let workdir = "io.github.kernelrelay.workdir"
    /// How many kernels may run in it at once.
    package static let mostKernels = "io.github.kernelrelay.max-kernels"
    /// On an image: the container that it is a snapshot of.
    package static let snapshot = "io.github.kernelrelay.snapshot"

    package static func text(_ ports: [String: UInt16]) -> String {
        ports.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    /// The ports by channel, as a label says them; nothing for a label that is not one of ours.
    package static func read(_ text: String) -> [String: UInt16]? {
        var ports: [String: UInt16] = [:]
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=")
            guard pair.count == 2, let channel = Channel(rawValue: String(pair[0])),
                let port = UInt16(pair[1]), port > 0
            else { return nil }
            ports[channel.rawValue] = port
        }
        return ports.count == Channel.allCases.count ? ports : nil
    }
}

extension Container {
    /// The container's ports by channel, where its labels tell them.
    package var labelledPorts: [String: UInt16]? { labels[Labels.ports].flatMap { Labels.read($0) } }
    package var mostKernels: Int64? {
        labels[Labels.mostKernels].flatMap { Int64($0) }.flatMap { (1...1_000_000).contains($0) ? $0 : nil }
    }
    package var isMadeByUp: Bool { labels[Labels.madeByUp]?.isEmpty == false }
    /// It ends with its kernel: nothing else is to be started in it.
    package var isMadeForKernel: Bool { labels[Labels.madeForKernel] != nil }
}
