import RelayLink

/// What is to be said at each turn; a value, so that it can be asked without a clock.
struct EventSchedule {
    /// A comment, which no reader shows.
    static let silent = Array(":\n\n".utf8)

    private var turn = 0
    private var silence = 0
    private var last: JSON?

    var wantsHistory: Bool { turn % Tuning.pageHistoryTurns == 0 }

    /// An event; a comment when there has been none for long, so that a lost connection is noticed; or nothing.
    mutating func event(for report: JSON) -> [UInt8]? {
        let essence = Self.essence(report)
        // A plot goes on while nothing happens; without kernels there is none.
        let isDrawn = wantsHistory && !(report.fields?["kernels"]?.list ?? []).isEmpty
        turn += 1
        if isDrawn || essence != last {
            (last, silence) = (essence, 0)
            return Array("data: ".utf8) + report.encoded + Array("\n\n".utf8)
        }
        silence += 1
        return silence % Tuning.pageSilentTurns == 0 ? Self.silent : nil
    }

    /// The report without what changes for no other reason than that time passes.
    static func essence(_ report: JSON) -> JSON {
        report.without(["uptime_seconds", "resources", "events"])
            .changing("ended") { $0.each { $0.without(["ended_seconds_ago"]).changing("verdict", timeless) } }
            .changing("kernels") { $0.each(kernel) }
    }

    /// A lamp's text and milliseconds tell of ages; what else they tell stands elsewhere in the kernel. Of activity the
    /// verdict and the channels tell what has come of it.
    private static func kernel(_ kernel: JSON) -> JSON {
        kernel.without(["uptime_seconds", "history", "activity"])
            .changing("verdict", timeless)
            .changing("process") { $0.without(["cpu_seconds"]) }
            .changing("ladder") { $0.each { $0.without(["text", "milliseconds"]) } }
    }

    private static func timeless(_ verdict: JSON) -> JSON { verdict.without(["since_seconds"]) }
}

extension JSON {
    fileprivate func without(_ names: Set<String>) -> JSON {
        guard let fields else { return self }
        return .object(fields.filter { !names.contains($0.key) })
    }

    fileprivate func changing(_ name: String, _ change: (JSON) -> JSON) -> JSON {
        guard var fields, let value = fields[name] else { return self }
        fields[name] = change(value)
        return .object(fields)
    }

    fileprivate func each(_ change: (JSON) -> JSON) -> JSON {
        list.map { .array($0.map(change)) } ?? self
    }
}
