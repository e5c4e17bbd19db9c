/// The columns of a list of kernels, and what stands in them.
struct KernelColumn: Sendable {
    let title: String
    var isRight = false
    /// Less is of no use; nothing where a cell is shown whole or not at all.
    var least: Int?
    /// The lowest goes first where there is no room.
    var worth: Int?
    var key: SortKey?
    /// What of a cell is shown where there is no room for all of it.
    var cut = Cut.end
    let cell: @Sendable (Reading.Kernel) -> (text: String, style: StyledLine.Style)

    enum Cut: Sendable {
        case end
        /// Of a path the name of the file, and of that the beginning.
        case path
        /// The beginning says as much, to every command that takes an id.
        case unmarked
        /// Its first word alone.
        case word
    }

    init(
        _ title: String, right: Bool = false, least: Int? = nil, worth: Int? = nil, key: SortKey? = nil,
        cut: Cut = .end,
        _ text: @escaping @Sendable (Reading.Kernel) -> String
    ) {
        self.title = title
        isRight = right
        self.least = least
        self.worth = worth
        self.key = key
        self.cut = cut
        cell = { (text($0), .plain) }
    }

    private init(verdict title: String) {
        self.title = title
        least = "container-paused".count
        key = .verdict
        cut = .word
        cell = { (VerdictWord.text($0.verdict), VerdictWord.style($0.verdict.word)) }
    }

    static let id = id(worth: nil)
    static func id(worth: Int?) -> KernelColumn {
        KernelColumn("KERNEL", least: 6, worth: worth, cut: .unmarked) { $0.id }
    }
    static let notebook = KernelColumn("NOTEBOOK", least: 12, worth: 90, key: .notebook, cut: .path) {
        $0.notebook ?? "-"
    }
    static let container = KernelColumn("CONTAINER", least: 6, worth: 80, key: .container) {
        // A project's is not known before its file was read.
        $0.container.isEmpty ? "-" : $0.container
    }
    static let route = KernelColumn("ROUTE", worth: 20) { $0.route ?? "-" }
    static let verdict = KernelColumn(verdict: "VERDICT")
    static let now = KernelColumn("NOW", right: true, worth: 70, key: .roundTrip) {
        Quantity.milliseconds($0.roundTrip.last)
    }
    static let most = KernelColumn("P99", right: true, worth: 40) { Quantity.milliseconds($0.roundTrip.most) }
    static let rate = KernelColumn("MSG/S", right: true, worth: 50, key: .rate) {
        Quantity.count($0.messageRate)
    }
    static let bytes = KernelColumn("BYTES/S", right: true, worth: 10) { Quantity.bytes($0.byteRate) }
    static let memory = KernelColumn("MEMORY", right: true, worth: 60, key: .memory) {
        Quantity.bytes($0.process?.memory)
    }
    static let uptime = KernelColumn("UP", right: true, worth: 12, key: .uptime) {
        Quantity.duration($0.uptime)
    }

    static func roundTrips(_ look: Look) -> KernelColumn {
        KernelColumn("10 MIN", worth: 65) { Sparkline.text($0.history.roundTrips, width: graph, look: look) }
    }
    static func rates(_ look: Look) -> KernelColumn {
        KernelColumn("10 MIN", worth: 6) { Sparkline.text($0.history.rates, width: graph, look: look) }
    }
    private static let graph = 8
}

extension KernelColumn {
    func fitted(_ text: String, _ width: Int, _ look: Look) -> String {
        switch cut {
        case .end: DisplayWidth.cut(text, to: width, mark: look.cutMark)
        case .path:
            DisplayWidth.of(text) <= width
                ? text
                : DisplayWidth.cut(
                    String(text.split(separator: "/").last ?? ""), to: width, mark: look.cutMark)
        case .unmarked: DisplayWidth.beginning(of: text, width: width)
        case .word:
            DisplayWidth.of(text) <= width
                ? text : DisplayWidth.cut(String(text.prefix { $0 != " " }), to: width, mark: look.cutMark)
        }
    }
}
