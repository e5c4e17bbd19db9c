import RelayLink

/// What there is to read. The page knows no more of relayd than this.
package protocol WebSource: Sendable {
    /// protocol/status.md.
    func report(history: Bool) async -> JSON
    func metrics() async -> String
    /// Somebody follows the events; as long as anybody does, relayd is not idle.
    func readerCame() async
    func readerLeft() async
}
