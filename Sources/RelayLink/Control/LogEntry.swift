/// One event of relayd's log.
package struct LogEntry: Sendable, Equatable {
    /// ISO 8601, UTC, to the millisecond.
    package var time: String
    package var event: String
    /// The id of the kernel that it is about.
    package var kernel: String?
    package var facts: [String: String]

    package init(time: String, event: String, kernel: String? = nil, facts: [String: String] = [:]) {
        self.time = time
        self.event = event
        self.kernel = kernel
        self.facts = facts
    }
}

extension LogEntry {
    package var json: JSON {
        [
            "time": .string(time), "event": .string(event), "kernel": kernel.map { .string($0) } ?? .null,
            "facts": .object(facts.mapValues { .string($0) }),
        ]
    }

    package init(_ json: JSON) throws(GateError) {
        let fields = try Fields(json, in: "a log entry")
        time = try fields.string("time")
        event = try fields.string("event")
        kernel = try fields.optionalString("kernel")
        facts = [:]
        for (name, value) in try fields.map("facts") {
            guard let text = value.text else {
                throw GateError(.message, "a fact of a log entry is not a string")
            }
            facts[name] = text
        }
    }
}
