import Host
import RelayLink

package enum VersionCommand: Subcommand {
    package static let name = "version"
    package static let summary = "print the release and the protocol's version"
    package static let usage = "usage: relayd version"

    package static func run(_ words: [String]) async throws -> Int32 {
        try Arguments(words).finish()
        print("relayd \(ControlProtocol.release), protocol \(ControlProtocol.version)")
        return 0
    }
}
