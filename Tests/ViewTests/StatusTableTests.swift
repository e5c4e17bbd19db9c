import RelayLink
import Testing

@testable import KernelRelay

@Suite struct StatusTableTests {
    private func lines(_ name: String, _ width: Int?) throws -> [String] {
        StatusTable.lines(try Fixture.reading(name), width: width, look: Fixture.plain)
            .map { $0.rendered(width: width ?? .max, look: Fixture.plain) }
    }

    @Test(arguments: [nil, 80, 40, 120])
    func tables(_ width: Int?) throws {
        try Fixture.expectGolden(lines("six", width), "status-\(width.map(String.init) ?? "piped")")
    }

    @Test func noKernel() throws {
        #expect(try lines("none", 80) == ["no kernel runs"])
    }

    @Test(arguments: [
        (#"{"kernels": 1, "code": null}"#, "discovery: 1 kernel in the launcher"),
        (#"{"kernels": 0, "code": null}"#, "discovery: 0 kernels in the launcher"),
        (
            #"{"kernels": 2, "code": "KR-ENGINE-UNREACHABLE"}"#,
            "discovery: KR-ENGINE-UNREACHABLE; relayd logs says more"
        ),
    ])
    func whatDiscoveryShows(_ report: String, _ said: String) throws {
        let json = try JSON(parsing: Array(#"{"discovery": \#(report)}"#.utf8))
        let lines = StatusTable.lines(Reading(json), width: nil, look: Fixture.plain).map(\.text)
        #expect(lines == ["no kernel runs", "", said])
    }

    @Test func whoIsOpenToOthersIsNamed() throws {
        var reading = try Fixture.reading("six")
        let before = StatusTable.lines(reading, width: nil, look: Fixture.plain).count
        reading.kernels[1].isOnAllInterfaces = true
        let lines = StatusTable.lines(reading, width: nil, look: Fixture.plain).map(\.text)
        #expect(lines.count == before + 2)
        #expect(lines.contains { $0.hasPrefix(reading.kernels[1].id) && $0.contains("all interfaces") })
    }

    /// What is cut on a screen is whole in a pipe.
    @Test func nothingIsCutInAPipe() throws {
        let text = try lines("six", nil).joined(separator: "\n")
        #expect(!text.contains("…") && text.contains("container-paused 65 s"))
        #expect(
            text.contains("forecast-of-everything.ipynb") && text.contains("rstudio sh -c 'kill -CONT 41'"))
    }

    @Test func noLineIsWiderThanTheTerminal() throws {
        for width in 20...140 {
            #expect(try lines("six", width).allSatisfy { DisplayWidth.of($0) <= width }, "\(width)")
        }
    }

    /// The columns stay below their titles, however wide the letters of a name are.
    @Test func columnsAreAligned() throws {
        let table = try lines("six", nil).prefix(7)
        let title = try #require(table.first)
        let at = DisplayWidth.of(String(title.prefix(upTo: title.firstRange(of: "ROUTE")!.lowerBound)))
        for line in table {
            let before = DisplayWidth.beginning(of: line, width: at)
            #expect(DisplayWidth.of(before) == at && before.hasSuffix("  "))
        }
    }

    @Test(arguments: [
        ("a.ipynb", "a.ipynb"), ("/home/me/notebooks/model.ipynb", "model.ipynb"),
        ("/home/me/forecast-of-everything.ipynb", "forecast-of…"), ("////////////////////", ""), ("", ""),
    ])
    func ofANotebooksPathTheNameStays(_ path: String, _ shown: String) {
        #expect(KernelColumn.notebook.fitted(path, 12, Fixture.plain) == shown)
    }
}
