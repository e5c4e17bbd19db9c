/// Checks, each after those that it needs, and what came of them.
package struct Examination: Sendable {
    package struct Entry: Sendable, Equatable {
        package let name: String
        package let finding: Check.Finding
        /// The check that is to blame when this one could not be made.
        package let because: String?
        package let milliseconds: Double

        package init(
            _ name: String, _ finding: Check.Finding, because: String? = nil, milliseconds: Double = 0
        ) {
            self.name = name
            self.finding = finding
            self.because = because
            self.milliseconds = milliseconds
        }
    }

    private let checks: [Check]

    package init(_ checks: [Check]) { self.checks = Self.ordered(checks) }

    /// In the order given, but for a check that stands before one that it needs.
    package static func ordered(_ checks: [Check]) -> [Check] {
        var waiting = checks
        var order: [Check] = []
        while !waiting.isEmpty {
            let names = Set(waiting.map(\.name))
            // Those that need each other can never be made; they come last, and are skipped.
            let next = waiting.firstIndex { names.isDisjoint(with: $0.needs) } ?? waiting.startIndex
            order.append(waiting.remove(at: next))
        }
        return order
    }

    /// The first cause why a check cannot be made: not the check that was skipped before it, but what that one lacked.
    package static func obstacle(to check: Check, after entries: [Entry]) -> String? {
        for need in check.needs {
            guard let entry = entries.first(where: { $0.name == need }) else { return need }
            if let because = entry.because { return because }
            if entry.finding.mark == .bad { return need }
        }
        return nil
    }

    /// Makes the checks one after the other, and tells of each as it is made. A task that is cancelled makes no more.
    package func run(
        on chart: Chart, told: (Entry, Chart) -> Void = { _, _ in }
    ) async -> (entries: [Entry], chart: Chart) {
        var chart = chart
        var entries: [Entry] = []
        for check in checks {
            let entry: Entry
            if let because = Self.obstacle(to: check, after: entries) {
                entry = Entry(check.name, .skipped("needs \(because)"), because: because)
            } else {
                entry = await make(check, &chart)
            }
            // What was interrupted says nothing of the patient.
            if Task.isCancelled { break }
            entries.append(entry)
            told(entry, chart)
        }
        return (entries, chart)
    }

    private func make(_ check: Check, _ chart: inout Chart) async -> Entry {
        let began = ContinuousClock.now
        // A copy: a check that is still at work when its time is over must change nothing any more.
        let before = chart
        let done = await TimeLimit.answer(within: check.limit) {
            var after = before
            return (await check.run(&after), after)
        }
        let took = (ContinuousClock.now - began).milliseconds
        guard let (finding, after) = done else {
            let text = "no answer within \(check.limit.components.seconds) s"
            return Entry(check.name, .bad(text, chart.loadRemedy), milliseconds: took)
        }
        chart = after
        return Entry(check.name, finding, milliseconds: took)
    }
}

extension Chart {
    /// Shows what keeps a check from coming to its end: a container, the engine, or this machine has too much to do.
    fileprivate var loadRemedy: String {
        if let container { return subject.typed("stats", "--no-stream", container.name) }
        return clientVersion == nil ? "uptime  # the load of this machine" : subject.typed("version")
    }
}

extension Duration {
    package var milliseconds: Double { seconds * 1000 }
}
