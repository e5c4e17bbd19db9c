import RelayLink

/// What a status report says, as people are shown it. `protocol/status.md` is the contract; a field that is missing or
/// of another type is one that is not known, because relayd may be of another release.
///
/// All text is fit for a terminal: names come from strangers.
package struct Reading: Sendable {
    package var release: String
    package var pid: Int?
    package var uptime: Double?
    package var memory: Double?
    package var cpuSeconds: Double?
    package var threads: Int?
    package var kernels: [Kernel]
    package var ended: [Ended]
    /// It takes no new kernels.
    package var isDraining: Bool
    /// Nothing while it is off.
    package var discovery: Discovered?

    package init(_ json: JSON) {
        let fields = ReadingFields(json)
        release = fields.text("release") ?? "?"
        pid = fields.figure("pid").flatMap { Int(exactly: $0) }
        uptime = fields.figure("uptime_seconds")
        let own = fields.object("resources")
        memory = own.figure("memory_bytes")
        cpuSeconds = own.figure("cpu_seconds")
        threads = own.figure("threads").flatMap { Int(exactly: $0) }
        kernels = fields.list("kernels").map(Kernel.init)
        ended = fields.list("ended").map(Ended.init)
        isDraining = fields.flag("draining")
        discovery = fields.has("discovery") ? Discovered(fields.object("discovery")) : nil
    }

    /// - Parameter last: the one before, of which a report without histories takes them.
    package init(_ json: JSON, after last: Reading?) {
        self.init(json)
        let known = Dictionary((last?.kernels ?? []).map { ($0.id, $0.history) }) { $1 }
        for index in kernels.indices where !kernels[index].history.isKnown {
            if let history = known[kernels[index].id] { kernels[index].history = history }
        }
    }

    package struct Ended: Sendable {
        package var id: String
        package var notebook: String?
        package var container: String
        package var verdict: Verdict
        package var ago: Double?

        init(_ fields: ReadingFields) {
            id = fields.text("id") ?? "?"
            notebook = fields.text("notebook")
            container = fields.text("container") ?? "?"
            verdict = Verdict(fields.object("verdict"))
            ago = fields.figure("ended_seconds_ago")
        }
    }

    /// What `relayd start --discover` shows in the launcher.
    package struct Discovered: Sendable {
        package var kernels: Int
        /// What is in its way.
        package var code: String?

        init(_ fields: ReadingFields) {
            kernels = fields.figure("kernels").flatMap { Int(exactly: $0) } ?? 0
            code = fields.text("code")
        }
    }

    package struct Verdict: Sendable {
        package var word: String
        package var since: Double?
        package var text: String
        package var remedy: String?
        /// The remedy is to be typed; else it is in words.
        package var isCommand: Bool

        init(_ fields: ReadingFields) {
            word = fields.text("word") ?? "?"
            since = fields.figure("since_seconds")
            text = fields.text("text") ?? ""
            remedy = fields.text("remedy")
            isCommand = fields.text("command") != nil
        }

        /// A command behind its label; a sentence needs none.
        var remedyLine: String? { remedy.map { isCommand ? "remedy: \($0)" : $0 } }

        /// Whether a person should do something about it.
        package var isWorrying: Bool { !["ok", "busy", "starting", "ended", "?"].contains(word) }
    }
}

/// The fields of one object of the report.
struct ReadingFields {
    private let fields: [String: JSON]

    init(_ json: JSON?) { fields = json?.fields ?? [:] }

    func text(_ name: String, limit: Int = 400) -> String? {
        fields[name]?.text.map { RelayLink.printable($0, limit: limit) }
    }

    func flag(_ name: String) -> Bool { fields[name]?.flag ?? false }
    func figure(_ name: String) -> Double? { Self.figure(fields[name]) }
    func object(_ name: String) -> ReadingFields { ReadingFields(fields[name]) }
    func has(_ name: String) -> Bool { fields[name]?.fields != nil }
    func list(_ name: String) -> [ReadingFields] { (fields[name]?.list ?? []).map { ReadingFields($0) } }
    func figures(_ name: String) -> [Double?] { (fields[name]?.list ?? []).map(Self.figure) }

    /// Every field that is a number, the names in order.
    var allFigures: [(name: String, value: Double)] {
        fields.sorted { $0.key < $1.key }.compactMap { name, json in
            Self.figure(json).map { (RelayLink.printable(name, limit: 40), $0) }
        }
    }

    private static func figure(_ json: JSON?) -> Double? {
        switch json {
        case .whole(let value)?: Double(value)
        case .number(let value)? where value.isFinite: value
        default: nil
        }
    }
}
