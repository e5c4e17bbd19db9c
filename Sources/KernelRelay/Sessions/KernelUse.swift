import RelayLink

/// When a gate's kernels were used last, as their relays have noticed.
struct KernelUse: Sendable {
    private struct Entry: Sendable {
        weak var relay: Relay?
        /// By the ``BootClock``. To be started, or taken up again, is a use.
        let since: Int64
    }

    private var entries: [String: Entry] = [:]

    mutating func begin(_ kernel: String, _ relay: Relay) {
        entries[kernel] = Entry(relay: relay, since: BootClock.now)
    }

    mutating func end(_ kernel: String) { entries[kernel] = nil }

    /// How long none of them has been used, in milliseconds; nothing where there is none.
    var idleTime: Int64? {
        let now = BootClock.now
        let uses = entries.values.map { entry in max(entry.since, entry.relay?.lastUse(now) ?? 0) }
        return uses.max().map { max(0, now - $0) }
    }
}
