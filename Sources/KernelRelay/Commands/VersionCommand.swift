import Host
import RelayLink

extension Subcommand {
    static let version = Subcommand(
        name: "version",
        summary: "print the release and the protocol's version",
        usage: "usage: relayd version"
    ) { words in
        try Arguments(words).finish()
        print("relayd \(ControlProtocol.release), protocol \(ControlProtocol.version)")
        return 0
    }
}
