/// What `relayd status` prints.
package enum StatusTable {
    /// - Parameter width: of the terminal; nothing where all may be as wide as it comes.
    package static func lines(_ reading: Reading, width: Int?, look: Look) -> [StyledLine] {
        var lines: [StyledLine] = []
        if reading.kernels.isEmpty {
            lines.append("no kernel runs")
        } else {
            let list = KernelList(
                columns: [
                    .id, .notebook, .container, .route, .verdict, .now, .most, .rate, .bytes, .memory,
                    .uptime,
                ], look: look)
            lines += list.lines(reading.kernels, width: width)
        }
        if reading.isDraining {
            lines += ["", StyledLine("draining: no new kernels, until relayd drain --off", .strong)]
        }
        if let discovery = reading.discovery { lines += ["", line(discovery)] }
        let worrying = reading.kernels.filter(\.verdict.isWorrying)
        if !worrying.isEmpty { lines.append("") }
        for kernel in worrying { lines += worry(kernel, width) }
        let exposed = reading.kernels.filter(\.isOnAllInterfaces)
        if !exposed.isEmpty { lines.append("") }
        for kernel in exposed {
            let text = "it listens on all interfaces of this host, as far as can be told"
            lines += paragraph(kernel.id, text, .strong, width)
        }
        if !reading.ended.isEmpty {
            lines += ["", StyledLine("ended in the last ten minutes", .strong)]
            lines += ended(Array(reading.ended.prefix(shown)), width, look)
            let more = reading.ended.count - shown
            if more > 0 { lines.append(StyledLine("and \(more) more", .faint)) }
        }
        return lines
    }

    private static func line(_ discovery: Reading.Discovered) -> StyledLine {
        if let code = discovery.code {
            return StyledLine("discovery: \(code); relayd logs says more", .strong)
        }
        let count = discovery.kernels == 1 ? "1 kernel" : "\(discovery.kernels) kernels"
        return StyledLine("discovery: \(count) in the launcher", .faint)
    }

    private static let shown = 5

    private static func worry(_ kernel: Reading.Kernel, _ width: Int?) -> [StyledLine] {
        let verdict = kernel.verdict
        let text = verdict.text.isEmpty ? verdict.word : verdict.text
        return paragraph(kernel.id, text, VerdictWord.style(verdict.word), width)
            + (verdict.remedyLine.map { paragraph(indent(kernel.id), $0, .strong, width) } ?? [])
    }

    private static func ended(_ kernels: [Reading.Ended], _ width: Int?, _ look: Look) -> [StyledLine] {
        let cells = kernels.map { kernel in
            let place = kernel.container.isEmpty ? nil : kernel.container
            return [
                kernel.id, "\(Quantity.duration(kernel.ago)) ago",
                [kernel.notebook, place].compactMap(\.self).joined(separator: " in "),
            ]
        }
        let widths = (0..<3).map { column in cells.map { DisplayWidth.of($0[column]) }.max() ?? 0 }
        return zip(kernels, cells).map { kernel, cells in
            let columns = zip(cells, widths).enumerated().map { column, cell in
                DisplayWidth.padded(cell.0, to: cell.1, right: column == 1) + "  "
            }
            let line = StyledLine(columns.joined())
                .adding(kernel.verdict.text.isEmpty ? kernel.verdict.word : kernel.verdict.text, .faint)
            guard let width, line.width > width else { return line }
            return StyledLine(DisplayWidth.cut(line.text, to: width, mark: look.cutMark))
        }
    }

    private static func indent(_ id: String) -> String { String(repeating: " ", count: DisplayWidth.of(id)) }

    /// A text beside a name, its lines below each other.
    private static func paragraph(
        _ name: String, _ text: String, _ style: StyledLine.Style, _ width: Int?
    ) -> [StyledLine] {
        guard let width else { return [StyledLine("\(name)  ").adding(text, style)] }
        let room = max(10, width - DisplayWidth.of(name) - 2)
        return DisplayWidth.wrapped(text, to: room).enumerated().map { index, line in
            StyledLine("\(index == 0 ? name : indent(name))  ").adding(line, style)
        }
    }
}
