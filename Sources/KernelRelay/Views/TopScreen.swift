/// The screen of `relayd top`: as many lines as it has rows, none wider than it.
package enum TopScreen {
    /// - Parameter reading: the last that relayd said; nothing before the first.
    package static func lines(
        _ reading: Reading?, size: ScreenSize, state: TopState, look: Look
    ) -> [String] {
        var lines = [head(reading, state, size.columns)]
        switch state.page {
        case .help: lines += TopHelp.lines
        case .kernel(let id):
            if let kernel = reading?.kernels.first(where: { $0.id == id }) {
                let detail = KernelDetail.lines(kernel, width: size.columns, look: look)
                lines += detail.dropFirst(min(state.scrolled, bottom(of: detail, size)))
            } else {
                lines += ["", StyledLine("this kernel has ended; Esc goes back")]
            }
        case .list: lines += list(reading, size, state, look)
        }
        lines = Array(lines.prefix(size.rows - 1))
        while lines.count < size.rows - 1 { lines.append("") }
        lines.append(foot(state, size.columns))
        return lines.suffix(size.rows).map { $0.rendered(width: size.columns, look: look) }
    }

    /// Kernels that have room on a page, for the keys that turn it.
    package static func listRows(_ size: ScreenSize) -> Int { max(1, size.rows - 7) }

    /// How far down the detail view goes; 0 where none is shown.
    package static func bottom(
        _ reading: Reading?, size: ScreenSize, state: TopState, look: Look
    ) -> Int {
        guard case .kernel(let id) = state.page,
            let kernel = reading?.kernels.first(where: { $0.id == id })
        else { return 0 }
        return bottom(of: KernelDetail.lines(kernel, width: size.columns, look: look), size)
    }

    private static func bottom(of detail: [StyledLine], _ size: ScreenSize) -> Int {
        max(0, detail.count - max(0, size.rows - 2))
    }

    private static func head(_ reading: Reading?, _ state: TopState, _ width: Int) -> StyledLine {
        var line = StyledLine("relayd", .strong)
        switch state.link {
        case .absent: return line.adding(" does not run; waiting for it", .bad)
        case .silent: line.add(" does not answer", .bad)
        case .waiting: return line.adding(" is being asked")
        case .up: break
        }
        guard let reading else { return line }
        if state.isPaused { line.add(" paused", .warn) }
        if let count = count(reading) { line.add("  \(count)") }
        let rest = [
            "up \(Quantity.duration(reading.uptime))", reading.memory.map { Quantity.bytes($0) },
            reading.threads.map { "\($0) threads" }, "release \(reading.release)",
        ]
        // Whole or not at all.
        for word in rest.compactMap(\.self) where line.width + 2 + DisplayWidth.of(word) <= width {
            line.add("  \(word)", .faint)
        }
        return line
    }

    private static func count(_ reading: Reading) -> String? {
        let kernels = reading.kernels
        guard !kernels.isEmpty else { return nil }
        let worrying = kernels.count(where: \.verdict.isWorrying)
        let busy = kernels.count { $0.verdict.word == "busy" }
        let parts = [busy > 0 ? "\(busy) busy" : nil, worrying > 0 ? "\(worrying) in trouble" : nil]
            .compactMap(\.self)
        let all = kernels.count == 1 ? "1 kernel" : "\(kernels.count) kernels"
        return parts.isEmpty ? all : "\(all): \(parts.joined(separator: ", "))"
    }

    private static func list(
        _ reading: Reading?, _ size: ScreenSize, _ state: TopState, _ look: Look
    ) -> [StyledLine] {
        guard let reading else { return [] }
        let kernels = state.inOrder(reading.kernels)
        guard let chosen = state.chosen(kernels.map(\.id)),
            let at = kernels.firstIndex(where: { $0.id == chosen })
        else {
            return state.link == .absent ? [] : ["", "no kernel runs"]
        }
        let columns: [KernelColumn] = [
            .id(worth: 25), .notebook, .container, .verdict, .now, .roundTrips(look), .rate, .rates(look),
            .memory,
            .uptime,
        ]
        let table = KernelList(columns: columns, look: look).lines(
            kernels, width: size.columns - 2, sort: state.sort.map { ($0, state.isReversed) })
        // What is wrong stands below the list, and the list makes room for it.
        let below = worry(kernels[at], size)
        let room = max(1, size.rows - 4 - below.count)
        let from = max(0, min(at - room / 2, kernels.count - room))
        let place = kernels.count > room ? "  \(at + 1) of \(kernels.count)" : ""
        var lines: [StyledLine] = [StyledLine(place, .faint), StyledLine("  ") + table[0]]
        for index in from..<min(kernels.count, from + room) {
            let line = StyledLine(index == at ? "> " : "  ") + table[index + 1]
            lines.append(index == at ? line.all(.chosen, width: size.columns) : line)
        }
        return lines + below
    }

    private static func worry(_ kernel: Reading.Kernel, _ size: ScreenSize) -> [StyledLine] {
        let verdict = kernel.verdict
        guard verdict.isWorrying, size.rows >= 8 else { return [] }
        let room = max(10, size.columns - 2)
        let text = DisplayWidth.wrapped(verdict.text, to: room).prefix(2)
        let remedy = DisplayWidth.wrapped(verdict.remedyLine ?? "", to: room).prefix(2)
        return [""] + text.map { StyledLine("  \($0)", VerdictWord.style(verdict.word)) }
            + remedy.map { StyledLine("  \($0)", .strong) }
    }

    private static func foot(_ state: TopState, _ width: Int) -> StyledLine {
        let pause = state.isPaused ? "space go on" : "space pause"
        let text =
            switch state.page {
            case .help: "any key goes back"
            case .kernel: "Esc back  arrows scroll  \(pause)  q quit"
            case .list: "? help  q quit  Enter detail  \(pause)  sort: n c v r t m u"
            }
        return StyledLine(text, .faint)
    }
}
