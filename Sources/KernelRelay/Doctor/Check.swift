/// One thing that `relayd doctor` looks at.
package struct Check: Sendable {
    /// What came of it.
    package enum Mark: String, Sendable, CaseIterable {
        case good, warning, bad
        /// Not looked at; the text says why.
        case skipped
    }

    /// One step of what a check did, and how long it took.
    package struct Phase: Sendable, Equatable {
        package let name: String
        package let milliseconds: Double

        package init(_ name: String, milliseconds: Double) {
            self.name = name
            self.milliseconds = milliseconds
        }
    }

    package struct Finding: Sendable, Equatable {
        package let mark: Mark
        package let text: String
        /// The command that mends it, as one types it; where there is none, what to do.
        package let remedy: String?
        /// Of an error catalogue.
        package var code: String?
        package var phases: [Phase]

        /// What fails has a remedy: only `bad` makes such a finding.
        private init(
            mark: Mark, text: String, remedy: String? = nil, code: String? = nil, phases: [Phase] = []
        ) {
            self.mark = mark
            self.text = text
            self.remedy = remedy
            self.code = code
            self.phases = phases
        }

        package static func good(_ text: String, phases: [Phase] = []) -> Finding {
            Finding(mark: .good, text: text, phases: phases)
        }
        package static func warning(
            _ text: String, _ remedy: String? = nil, phases: [Phase] = []
        ) -> Finding {
            Finding(mark: .warning, text: text, remedy: remedy, phases: phases)
        }
        package static func bad(
            _ text: String, _ remedy: String, code: String? = nil, phases: [Phase] = []
        ) -> Finding {
            Finding(mark: .bad, text: text, remedy: remedy, code: code, phases: phases)
        }
        /// There is nothing to look at here, and nothing wrong with that.
        package static func skipped(_ text: String) -> Finding { Finding(mark: .skipped, text: text) }
    }

    package let name: String
    /// The checks without which this one means nothing.
    package let needs: [String]
    /// How long it may take.
    package let limit: Duration
    /// What it finds out for those that come after it, it writes on the chart.
    package let run: @Sendable (inout Chart) async -> Finding

    package init(
        _ name: String, needs: [String] = [], limit: Duration = Tuning.checkAtMost,
        run: @escaping @Sendable (inout Chart) async -> Finding
    ) {
        self.name = name
        self.needs = needs
        self.limit = limit
        self.run = run
    }
}
