import RelayLink
import Testing

@testable import KernelRelay

@Suite struct TopStateTests {
    private let kernels = ["a", "b", "c"]

    private func after(
        _ keys: [KeyPress], _ state: TopState = TopState(), bottom: Int = 10
    ) -> TopState {
        var state = state
        for key in keys { state.press(key, kernels: kernels, rows: 2, bottom: bottom) }
        return state
    }

    @Test(arguments: [
        ([KeyPress.down], "b"), ([.letter("j"), .letter("j"), .letter("j")], "c"), ([.down, .up, .up], "a"),
        ([.end], "c"), ([.end, .home], "a"), ([.pageDown], "c"), ([.end, .pageUp], "a"),
        ([.letter("G")], "c"),
    ])
    func theCursorMoves(_ keys: [KeyPress], _ chosen: String) {
        #expect(after(keys).chosen(kernels) == chosen)
    }

    @Test func aKernelThatHasEndedIsNotChosen() {
        let state = after([.down])
        #expect(state.chosen(["a", "c"]) == "a")
        #expect(state.chosen([]) == nil)
    }

    @Test func pagesAndBack() {
        #expect(after([.down, .enter]).page == .kernel("b"))
        for back in [KeyPress.escape, .left, .backspace] { #expect(after([.enter, back]).page == .list) }
        #expect(after([.letter("?")]).page == .help)
        #expect(after([.letter("?"), .letter("x")]).page == .list)
        #expect(after([.enter, .down, .down, .up]).scrolled == 1)
        #expect(after([.enter, .down, .escape, .enter]).scrolled == 0)
        #expect(after([.letter(" ")]).isPaused && !after([.letter(" "), .letter(" ")]).isPaused)
        #expect(after([.enter, .letter("q")]).isOver)
        var empty = TopState()
        for key in [KeyPress.enter, .up, .down, .end] { empty.press(key, kernels: [], rows: 1, bottom: 0) }
        #expect(empty.page == .list && empty.selected == nil)
    }

    /// Keys beyond either end leave nothing to be undone: the next one in the other direction shows.
    @Test func detailsEndAtTheirBottom() {
        let down = [KeyPress](repeating: .down, count: 50)
        #expect(after([.enter] + down, bottom: 3).scrolled == 3)
        #expect(after([.enter] + down + [.up], bottom: 3).scrolled == 2)
        #expect(after([.enter, .pageDown, .pageDown, .pageUp], bottom: 3).scrolled == 1)
        #expect(after([.enter, .end], bottom: 3).scrolled == 3)
        #expect(after([.enter, .letter("G"), .home], bottom: 3).scrolled == 0)
        #expect(after([.enter] + down, bottom: 0).scrolled == 0)
        // The screen has grown, or what is shown has become shorter.
        #expect(after([.up], after([.enter] + down, bottom: 9), bottom: 4).scrolled == 3)
    }

    @Test(arguments: SortKey.allCases)
    func aSortKeyAgainTurnsItRound(_ key: SortKey) {
        let once = after([.letter(key.rawValue)])
        #expect(once.sort == key && !once.isReversed)
        #expect(after([.letter(key.rawValue)], once).isReversed)
        #expect(!after([.letter(key.rawValue), .letter(key.rawValue)], once).isReversed)
    }

    @Test(arguments: [
        (SortKey.notebook, "a81b"), (.container, "1234"), (.verdict, "0d9e"), (.roundTrip, "1234"),
        (.memory, "a81b"),
        (.rate, "a81b"), (.uptime, "77aa"),
    ])
    func order(_ key: SortKey, _ first: String) throws {
        let kernels = try Fixture.reading("six").kernels
        let sorted = key.sorted(kernels, reversed: false)
        #expect(sorted.first?.id.hasPrefix(first) == true, "\(sorted.map(\.id))")
        #expect(Set(sorted.map(\.id)) == Set(kernels.map(\.id)))
    }

    @Test func alikeStayInOrder() throws {
        var kernels = try Fixture.reading("six").kernels
        for index in kernels.indices { kernels[index].container = "same" }
        #expect(SortKey.container.sorted(kernels, reversed: true).map(\.id) == kernels.map(\.id))
    }
}
