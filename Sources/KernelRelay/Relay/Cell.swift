import RelayLink

/// An `execute_request` that somebody waits for: what an answer has to know of it.
package struct Cell: Equatable, Sendable {
    package let identities: [[UInt8]]
    /// As it came: it is the answer's parent header.
    package let header: [UInt8]
    package let isSilent: Bool
    package let storesHistory: Bool
    package let stopsOnError: Bool

    /// - Parameter content: JSON; what cannot be read counts as absent, as a kernel would have it.
    package init(identities: [[UInt8]], header: [UInt8], content: [UInt8]) {
        let fields = (try? JSON(parsing: content))?.fields ?? [:]
        self.identities = identities
        self.header = header
        isSilent = fields["silent"]?.flag ?? false
        storesHistory = fields["store_history"]?.flag ?? !isSilent
        stopsOnError = fields["stop_on_error"]?.flag ?? true
    }

    /// What becomes of cells that waited when there was no kernel to run them, the oldest first.
    package enum Verdict: Equatable, Sendable {
        case failed
        /// It stood behind one that failed, of the same client, which wants none of the rest then.
        case aborted
    }

    package static func verdicts(_ cells: [Cell]) -> [Verdict] {
        var stopped: Set<[[UInt8]]> = []
        return cells.map { cell in
            if stopped.contains(cell.identities) { return .aborted }
            if cell.stopsOnError { stopped.insert(cell.identities) }
            return .failed
        }
    }
}
