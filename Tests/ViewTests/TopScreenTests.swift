import RelayLink
import Testing

@testable import KernelRelay

@Suite struct TopScreenTests {
    static let sizes = [
        ScreenSize(columns: 80, rows: 24), ScreenSize(columns: 120, rows: 40),
        ScreenSize(columns: 40, rows: 10),
    ]

    private func state(_ change: (inout TopState) -> Void = { _ in }) -> TopState {
        var state = TopState()
        state.link = .up
        change(&state)
        return state
    }

    @Test(arguments: sizes, [0, 1, 50])
    func lists(_ size: ScreenSize, _ count: Int) throws {
        let reading = try count == 0 ? Fixture.reading("none") : Fixture.reading(kernels: count)
        let lines = TopScreen.lines(reading, size: size, state: state(), look: Fixture.plain)
        try Fixture.expectGolden(lines, "top-\(count)-\(size.columns)x\(size.rows)")
    }

    @Test(arguments: sizes)
    func detailsOfOne(_ size: ScreenSize) throws {
        let reading = try Fixture.reading("six")
        let lines = TopScreen.lines(
            reading, size: size, state: state { $0.page = .kernel("deadbeef0000") }, look: Fixture.plain)
        try Fixture.expectGolden(lines, "detail-\(size.columns)x\(size.rows)")
    }

    /// As far down as the keys go, the last line is the last one of the screen.
    @Test(arguments: sizes)
    func theBottomOfDetails(_ size: ScreenSize) throws {
        let reading = try Fixture.reading("six")
        var state = state { $0.page = .kernel("deadbeef0000") }
        let bottom = TopScreen.bottom(reading, size: size, state: state, look: Fixture.plain)
        #expect(bottom > 0)
        state.scrolled = bottom
        let last = TopScreen.lines(reading, size: size, state: state, look: Fixture.plain)
        #expect(last[size.rows - 2].contains("last shell reply"))
        state.scrolled = bottom + 100
        #expect(TopScreen.lines(reading, size: size, state: state, look: Fixture.plain) == last)
        state.page = .list
        #expect(TopScreen.bottom(reading, size: size, state: state, look: Fixture.plain) == 0)
    }

    /// Most reports come without the last ten minutes: what was told of them before stays in the picture.
    @Test func historiesAreKept() throws {
        let whole = try Fixture.reading("six")
        let bare = Reading(try Fixture.json("six").withoutHistories(), after: nil)
        #expect(bare.kernels.allSatisfy { $0.history.roundTrips.isEmpty })
        let kept = Reading(try Fixture.json("six").withoutHistories(), after: whole)
        #expect(kept.kernels.map(\.history.roundTrips) == whole.kernels.map(\.history.roundTrips))
        #expect(kept.kernels.contains { !$0.history.rates.isEmpty })
        // A new report of them takes the old one's place, also when it is empty.
        let again = Reading(try Fixture.json("six"), after: kept)
        #expect(again.kernels.map(\.history.rates) == whole.kernels.map(\.history.rates))
    }

    /// Below what a usual screen shows.
    @Test func theLastLinesOfDetails() throws {
        let lines = TopScreen.lines(
            try Fixture.reading("six"), size: .init(columns: 120, rows: 60),
            state: state { $0.page = .kernel("deadbeef0000") }, look: Fixture.plain)
        let process = lines.drop { $0 != "PROCESS" }.prefix(5)
        #expect(
            Array(process) == [
                "PROCESS", " pid 41 sleeping  cpu 1.5 % of a core (73 s in all)  memory 182 MB",
                " container memory 291 MB of 2.0 GB", " interrupted by signal: 2",
                " last shell reply 3 s ago, last output 2 s ago",
            ])
    }

    @Test func whatIsWrongStandsBelowTheList() throws {
        let lines = TopScreen.lines(
            try Fixture.reading("six"), size: Self.sizes[0],
            state: state {
                $0.sort = .verdict
                $0.selected = "0d9e8f7a6b5c"
            }, look: Fixture.plain)
        try Fixture.expectGolden(lines, "top-trouble-80x24")
    }

    /// A label stands before a command, and not before a sentence.
    @Test func adviceInWordsHasNoLabel() throws {
        let lines = TopScreen.lines(
            try Fixture.reading("six"), size: Self.sizes[0],
            state: state { $0.selected = "deadbeef0000" }, look: Fixture.plain)
        #expect(lines.contains("  Close that client, or give it time; nothing is lost meanwhile."))
    }

    @Test func withoutLettersBeyondASCII() throws {
        var reading = try Fixture.reading("six")
        reading.kernels.removeAll { !($0.notebook ?? "").utf8.allSatisfy { $0 < 0x80 } }
        for page in [TopState.Page.list, .kernel("0d9e8f7a6b5c"), .help] {
            let lines = TopScreen.lines(
                reading, size: Self.sizes[1], state: state { $0.page = page }, look: Fixture.ascii)
            #expect(lines.allSatisfy { $0.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
            if page == .list { try Fixture.expectGolden(lines, "top-ascii-120x40") }
        }
    }

    @Test func help() throws {
        let lines = TopScreen.lines(
            nil, size: Self.sizes[0], state: state { $0.page = .help }, look: Fixture.plain)
        try Fixture.expectGolden(lines, "help-80x24")
    }

    /// The screen is filled and never left, whatever is shown at whatever size.
    @Test(arguments: [TopState.Page.list, .kernel("deadbeef0000"), .kernel("gone"), .help])
    func neverLargerThanTheScreen(_ page: TopState.Page) throws {
        let reading = try Fixture.reading("six")
        for columns in 1...130 {
            for rows in [1, 2, 3, 5, 8, 12, 24, 60] {
                for link in [TopState.Link.up, .absent, .silent, .waiting] {
                    let lines = TopScreen.lines(
                        reading, size: .init(columns: columns, rows: rows),
                        state: state {
                            $0.page = page
                            $0.link = link
                        }, look: Fixture.plain)
                    #expect(lines.count == rows)
                    #expect(lines.allSatisfy { DisplayWidth.of($0) <= columns }, "\(columns)x\(rows)")
                }
            }
        }
    }

    /// Nothing that a name holds reaches the terminal as a command to it.
    @Test func namesAreHarmless() throws {
        let reading = try Fixture.reading("six")
        for look in [Fixture.plain, Fixture.ascii] {
            let screens =
                [TopState.Page.list, .kernel("deadbeef0000")].flatMap { page in
                    TopScreen.lines(reading, size: Self.sizes[1], state: state { $0.page = page }, look: look)
                }
                + StatusTable.lines(reading, width: nil, look: look).map {
                    $0.rendered(width: .max, look: look)
                }
            #expect(screens.allSatisfy { $0.unicodeScalars.allSatisfy(\.isPrintable) })
        }
    }

    @Test func coloursGoRoundTheSameText() throws {
        let reading = try Fixture.reading("six")
        let coloured = TopScreen.lines(
            reading, size: Self.sizes[0], state: state(), look: .init(colours: true, unicode: true))
        let bare = coloured.map { $0.replacing(#/\u{1B}\[[0-9;]*m/#, with: "") }
        let plain = TopScreen.lines(reading, size: Self.sizes[0], state: state(), look: Fixture.plain)
        #expect(coloured.contains { $0.contains("\u{1B}[1;31m") || $0.contains("\u{1B}[33m") })
        #expect(zip(bare, plain).allSatisfy { $0.trimmingEnd == $1 })
    }

    /// A report of another release may hold anything.
    @Test func nonsenseIsShownAsUnknown() throws {
        let nonsense: [JSON] = [
            .null, [], ["kernels": "x"],
            ["kernels": [1, .null, [:], ["id": 3, "verdict": [], "channels": 7]]],
            [
                "kernels": [
                    [
                        "id": "a", "uptime_seconds": .number(.infinity),
                        "round_trip": ["last_ms": .number(-1)],
                        "memory": ["used_bytes": .number(1e300)], "history": ["round_trip_ms": ["x", .null]],
                        "launch": ["phases": [["milliseconds": .number(1e300)]]],
                    ]
                ]
            ],
        ]
        for json in nonsense {
            let reading = Reading(json)
            for page in [TopState.Page.list, .kernel("a")] {
                _ = TopScreen.lines(
                    reading, size: Self.sizes[0], state: state { $0.page = page }, look: Fixture.plain)
            }
            _ = StatusTable.lines(reading, width: 80, look: Fixture.plain)
        }
    }
}

extension JSON {
    fileprivate func withoutHistories() -> JSON {
        guard var fields, let kernels = fields["kernels"]?.list else { return self }
        fields["kernels"] = .array(
            kernels.map { kernel in
                var fields = kernel.fields ?? [:]
                fields["history"] = nil
                return .object(fields)
            })
        return .object(fields)
    }
}

extension String {
    var trimmingEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
