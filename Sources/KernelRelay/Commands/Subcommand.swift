/// One word that `relayd` knows.
package protocol Subcommand {
    /// The word.
    static var name: String { get }
    /// One line for the list of all.
    static var summary: String { get }
    /// What `--help` says: how it is used, and each option on a line of its own.
    static var usage: String { get }
    /// Does it, writes what it has to say to stdout, and returns the exit code.
    static func run(_ words: [String]) async throws -> Int32
}
