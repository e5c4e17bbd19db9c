/// One word that `relayd` knows.
package struct Subcommand: Sendable {
    /// The word.
    let name: String
    /// One line for the list of all.
    let summary: String
    /// What `--help` says: how it is used, and each option on a line of its own.
    let usage: String
    /// Does it, writes what it has to say to stdout, and returns the exit code.
    let run: @Sendable ([String]) async throws -> Int32
}
