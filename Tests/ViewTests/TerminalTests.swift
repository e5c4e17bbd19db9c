import Testing

@testable import KernelRelay

@Suite struct KeyReaderTests {
    @Test(arguments: [
        ("a", [KeyPress.letter("a")]), ("\r", [.enter]), ("\n", [.enter]), ("\u{7F}", [.backspace]),
        ("\t", [.tab]),
        ("\u{1B}[A", [.up]), ("\u{1B}[B", [.down]), ("\u{1B}[C", [.right]), ("\u{1B}[D", [.left]),
        ("\u{1B}OA", [.up]), ("\u{1B}OF", [.end]), ("\u{1B}[H", [.home]), ("\u{1B}[1~", [.home]),
        ("\u{1B}[4~", [.end]), ("\u{1B}[5~", [.pageUp]), ("\u{1B}[6~", [.pageDown]), ("\u{1B}[1;5A", [.up]),
        ("\u{1B}[6;2~", [.pageDown]), ("\u{1B}[2~", [.other]), ("\u{1B}OP", [.other]),
        ("\u{1B}[[A", [.other]),
        ("\u{1B}x", [.other]), ("\u{1B}\u{1B}[A", [.escape, .up]),
        ("q\u{1B}[Bj", [.letter("q"), .down, .letter("j")]),
        ("é", [.letter("é")]), ("界", [.letter("界")]), ("\u{1}", [.other]),
    ])
    func keys(_ text: String, _ keys: [KeyPress]) {
        var whole = KeyReader()
        #expect(whole.feed(text.utf8) == keys)
        #expect(whole.settle() == [])
        var bytewise = KeyReader()
        #expect(text.utf8.flatMap { bytewise.feed([$0]) } == keys)
    }

    @Test func escapeAloneIsKnownWhenNothingFollows() {
        var reader = KeyReader()
        #expect(reader.feed([0x1B]) == [] && reader.isOpen)
        #expect(reader.settle() == [.escape] && !reader.isOpen)
        #expect(reader.feed(Array("\u{1B}[1".utf8)) == [])
        #expect(reader.settle() == [.other])
        #expect(reader.feed([UInt8(ascii: "a")]) == [.letter("a")])
    }

    @Test func noiseEndsSomewhere() {
        var reader = KeyReader()
        for byte in 0...UInt8.max { _ = reader.feed([byte]) }
        _ = reader.feed(Array("\u{1B}[".utf8) + [UInt8](repeating: UInt8(ascii: "1"), count: 10_000))
        _ = reader.settle()
        #expect(reader.feed([0xFF]) == [.other])
        #expect(reader.feed([UInt8(ascii: "a")]) == [.letter("a")])
    }
}

@Suite struct DisplayWidthTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("界", 2), ("データ", 6), ("한글", 4), ("ｆｕｌｌ", 8),
        ("😀", 2),
        ("👍🏽", 2), ("🇩🇪", 2), ("▁▂█", 3), ("●✖", 2), ("Ω", 1), ("\u{1100}", 2), ("\u{20000}", 2), ("…", 1),
        ("e\u{301}\u{302}\u{303}", 1),
    ])
    func widths(_ text: String, _ width: Int) { #expect(DisplayWidth.of(text) == width) }

    @Test(arguments: [
        ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("界界界", 5, "界界…"), ("界界界", 4, "界…"), ("界界", 1, "…"),
        ("ab", 0, ""),
    ])
    func cuts(_ text: String, _ width: Int, _ cut: String) {
        #expect(DisplayWidth.cut(text, to: width) == cut)
    }

    @Test func wraps() {
        #expect(DisplayWidth.wrapped("one two three", to: 7) == ["one two", "three"])
        #expect(DisplayWidth.wrapped("abcdefgh ij", to: 5) == ["abcde", "fgh", "ij"])
        #expect(DisplayWidth.wrapped("界界界", to: 5) == ["界界", "界"])
        #expect(DisplayWidth.wrapped("  ", to: 5) == [])
    }
}

@Suite struct SmallViewTests {
    @Test(
        arguments: [
            ([1.0, 2, 4, 8], 4, "▂▃▅█"), ([0, 0], 2, "▁▁"), ([nil, 1], 2, " █"), ([1], 3, "  █"),
            ([], 2, "  "),
            ([1, 9, 1, 1], 2, "█▁"), ([.infinity, 1], 2, " █"),
        ] as [([Double?], Int, String)])
    func sparklines(_ values: [Double?], _ width: Int, _ line: String) {
        #expect(Sparkline.text(values, width: width, look: Fixture.plain) == line)
        #expect(Sparkline.text(values, width: width, look: Fixture.ascii).utf8.count == width)
    }

    @Test func columnsGiveWayByWorth() {
        let columns: [ColumnFit.Column] = [
            .init(natural: 10, least: 4), .init(natural: 6, worth: 1), .init(natural: 20, least: 5, worth: 2),
        ]
        #expect(ColumnFit(columns, into: nil).widths == [10, 6, 20])
        #expect(ColumnFit(columns, into: 40).widths == [10, 6, 20])
        #expect(ColumnFit(columns, into: 30).widths == [10, 6, 10])
        #expect(ColumnFit(columns, into: 19).widths == [4, 6, 5])
        #expect(ColumnFit(columns, into: 18).widths == [8, nil, 8])
        #expect(ColumnFit(columns, into: 5).widths == [5, nil, nil])
        #expect(ColumnFit(columns, into: 1).widths == [4, nil, nil])
    }

    @Test func onlyWhatChangedIsPainted() {
        var painter = Painter()
        let first = painter.paint(["a", "b"])
        #expect(first.contains("\u{1B}[2J") && first.contains("a") && first.contains("b"))
        #expect(painter.paint(["a", "b"]) == "")
        #expect(painter.paint(["a", "c"]) == "\u{1B}[2;1Hc\u{1B}[K")
        painter.forget()
        #expect(painter.paint(["a", "c"]).contains("\u{1B}[1;1Ha"))
    }

    @Test(arguments: [
        (["TERM": "xterm", "LANG": "C.UTF-8"], true, true, true),
        (["TERM": "xterm", "LANG": "de_DE.utf8", "NO_COLOR": "1"], true, false, true),
        (["TERM": "dumb"], true, false, false), (["LC_ALL": "C", "LANG": "C.UTF-8"], true, true, false),
        (["TERM": "xterm", "LC_ALL": "", "LC_CTYPE": "en.UTF-8"], false, false, true),
        (["NO_COLOR": "", "TERM": "xterm"], true, true, false),
    ])
    func looks(_ environment: [String: String], _ isTerminal: Bool, _ colours: Bool, _ unicode: Bool) {
        #expect(
            Look(environment: environment, isTerminal: isTerminal) == Look(colours: colours, unicode: unicode)
        )
    }

    @Test(arguments: [
        (0.0, "0 s"), (119.9, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 d"),
        (-1, "-"),
        (1e300, "\(1_000_000_000_000_000) d"),
    ])
    func durations(_ seconds: Double, _ text: String) { #expect(Quantity.duration(seconds) == text) }

    @Test(arguments: [
        (0.0, "0 B"), (999, "999 B"), (999.6, "1.0 kB"), (12_480, "12 kB"), (182e6, "182 MB"),
        (11.2e9, "11 GB"),
        (1e300, "\(1_000_000_000_000_000) TB"),
    ])
    func bytes(_ value: Double, _ text: String) { #expect(Quantity.bytes(value) == text) }

    @Test(arguments: [(0.0, "0"), (0.04, "0.1"), (0.3, "0.3"), (12.6, "13"), (83_900, "84k"), (nil, "-")])
    func counts(_ value: Double?, _ text: String) { #expect(Quantity.count(value) == text) }

    @Test(arguments: [
        (0.423, "0.42 ms"), (9.999, "10.00 ms"), (12.5, "13 ms"), (9840, "9840 ms"), (12_000, "12 s"),
    ])
    func milliseconds(_ value: Double, _ text: String) { #expect(Quantity.milliseconds(value) == text) }
}
