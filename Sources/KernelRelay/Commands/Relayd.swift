import Glibc
import Host
import RelayLink

/// The program `relayd`: tells its words apart, and says what went wrong.
package enum Relayd {
    /// In the order of their use.
    private static let subcommands: [Subcommand] = [
        .up, .ports, .compose, .snapshot, .down,
        .add, .list, .show, .remove,
        .status, .top, .page, .logs, .metrics, .doctor, .attach, .start, .drain, .end, .stop, .serve,
        .version,
    ]

    package static func run(_ words: [String]) async -> Int32 {
        guard let word = words.first, !["help", "--help", "-h"].contains(word) else {
            print(overview)
            return words.isEmpty ? 64 : 0
        }
        let name = word == "--version" ? "version" : word
        guard let subcommand = subcommands.first(where: { $0.name == name }) else {
            return refuse(HostError(.usage, "relayd knows no \(RelayLink.printable(word))"), code: 64)
        }
        let rest = Array(words.dropFirst())
        // Behind `--` stands what is another program's.
        if rest.prefix(while: { $0 != "--" }).contains(where: { ["--help", "-h"].contains($0) }) {
            print(subcommand.usage)
            return 0
        }
        do {
            return try await subcommand.run(rest)
        } catch let error as HostError {
            return refuse(error, code: error.code.exitCode)
        } catch let error as RelayError {
            return refuse(error, code: error.code.exitCode)
        } catch {
            return refuse(error, code: 70)
        }
    }

    private static func refuse(_ error: any Error, code: Int32) -> Int32 {
        Complaint.say("relayd: \(error)")
        return code
    }

    private static var overview: String {
        let width = subcommands.map(\.name.count).max() ?? 0
        let lines = subcommands.map { subcommand in
            let gap = String(repeating: " ", count: width - subcommand.name.count + 2)
            return "  \(subcommand.name)\(gap)\(subcommand.summary)"
        }
        return """
            usage: relayd WORD [OPTIONS]      (relayd WORD --help tells more)

            \(lines.joined(separator: "\n"))
            """
    }
}
