/// What `relayd up` and `relayd ports` write on a container. Anybody may read labels: there is no secret in them.
package enum Labels {
    /// Made by `relayd up`, and so removed by `relayd down`. The value tells two that were made at once apart.
    package static let madeByUp = "io.github.kernelrelay.up"
    /// The release that wrote the labels.
    package static let release = "io.github.kernelrelay.release"
    /// Which container port is for which channel.
    package static let ports = "io.github.kernelrelay.ports"

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
    package var isMadeByUp: Bool { labels[Labels.madeByUp] != nil }
}
