import KernelRelay
import Testing

/// Any display name becomes a name that Jupyter takes.
@Suite struct SpecNameTests {
    @Test(arguments: [
        ("Python (dev)", "python-dev"), ("  A  B  ", "a-b"), ("Käse & Brot", "kase-brot"),
        ("Straße", "strasse"),
        ("e\u{301}t\u{e9}", "ete"), ("データ", "container"), ("Python 3.11 データ", "python-3.11"),
        ("", "container"),
        ("---", "container"), ("../../etc", "etc"), (".hidden", "hidden"), ("Python", "python-relay"),
        ("PYTHON3", "python3-relay"), ("a/b\\c", "a-b-c"), ("x_y.z", "x_y.z"), ("Łódź İzmir", "lodz-izmir"),
        ("\u{0}\u{1b}[2J", "2j"), ("zero\u{200B}width", "zerowidth"), ("a.", "a"),
    ])
    func fromADisplayName(text: String, name: String) throws {
        #expect(SpecName.from(text) == name)
        try SpecName.check(name)
    }

    @Test func aLongOneIsCut() throws {
        try SpecName.check(SpecName.from(String(repeating: "ab-", count: 1000)))
    }

    @Test(arguments: [
        "", "python", "python2", "python3", ".", "..", ".x", "a/b", "A", "a b", "é", "a\n", "a\u{0}",
        String(repeating: "a", count: 81),
    ])
    func refused(name: String) {
        #expect(code { try SpecName.check(name) } == .specName)
    }
}
