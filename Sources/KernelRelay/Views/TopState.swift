/// What `relayd top` is looking at: a value that keys change.
package struct TopState: Sendable, Equatable {
    package enum Page: Sendable, Equatable {
        case list
        case kernel(String)
        case help
    }

    /// What relayd says.
    package enum Link: Sendable, Equatable {
        case waiting, up, absent, silent
    }

    package var page = Page.list
    package var sort: SortKey?
    package var isReversed = false
    package var isPaused = false
    package var link = Link.waiting
    /// The kernel on which the cursor stands; its place may change while it is looked at.
    package var selected: String?
    /// Lines of the detail view that are above the screen.
    package var scrolled = 0
    package var isOver = false

    package init() {}

    /// - Parameters:
    ///   - kernels: as they are shown.
    ///   - rows: of a page, for the keys that turn it.
    ///   - bottom: how far the detail view can be scrolled.
    package mutating func press(_ key: KeyPress, kernels: [String], rows: Int, bottom: Int) {
        switch key {
        case .letter("q"): isOver = true
        case .letter(" "): isPaused.toggle()
        case .letter("?"), .letter("h"): page = page == .help ? .list : .help
        case .escape, .left, .backspace: page = .list
        default:
            switch page {
            case .list: pressInList(key, kernels, rows)
            case .kernel: pressInDetail(key, rows, bottom)
            case .help: page = .list
            }
        }
    }

    private mutating func pressInList(_ key: KeyPress, _ kernels: [String], _ rows: Int) {
        switch key {
        case .up, .letter("k"): move(-1, kernels)
        case .down, .letter("j"): move(1, kernels)
        case .pageUp: move(-max(1, rows), kernels)
        case .pageDown: move(max(1, rows), kernels)
        case .home, .letter("g"): move(-kernels.count, kernels)
        case .end, .letter("G"): move(kernels.count, kernels)
        case .enter, .right:
            guard let chosen = chosen(kernels) else { return }
            selected = chosen
            page = .kernel(chosen)
            scrolled = 0
        case .letter(let letter):
            guard let key = SortKey(rawValue: letter) else { return }
            isReversed = sort == key && !isReversed
            sort = key
        default: break
        }
    }

    private mutating func pressInDetail(_ key: KeyPress, _ rows: Int, _ bottom: Int) {
        let steps =
            switch key {
            case .up, .letter("k"): -1
            case .down, .letter("j"): 1
            case .pageUp: -rows
            case .pageDown: rows
            case .home, .letter("g"): -scrolled
            case .end, .letter("G"): bottom
            default: 0
            }
        // Also what was shown may have become shorter: the next key must not be without effect.
        scrolled = max(0, min(bottom, min(bottom, scrolled) + steps))
    }

    private mutating func move(_ steps: Int, _ kernels: [String]) {
        guard !kernels.isEmpty else { return }
        let at = chosen(kernels).flatMap { kernels.firstIndex(of: $0) } ?? 0
        selected = kernels[min(max(0, at + steps), kernels.count - 1)]
    }

    /// The first, as long as nobody has chosen or what was chosen has ended.
    package func chosen(_ kernels: [String]) -> String? {
        selected.flatMap { kernels.contains($0) ? $0 : nil } ?? kernels.first
    }

    package func inOrder(_ kernels: [Reading.Kernel]) -> [Reading.Kernel] {
        sort?.sorted(kernels, reversed: isReversed) ?? kernels
    }
}
