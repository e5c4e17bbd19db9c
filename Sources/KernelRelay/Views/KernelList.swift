/// A list of kernels in lines, within a width; the titles first.
struct KernelList {
    let columns: [KernelColumn]
    let look: Look

    /// - Parameter width: nothing for as wide as it comes.
    func lines(_ kernels: [Reading.Kernel], width: Int?, sort: (SortKey, Bool)? = nil) -> [StyledLine] {
        let cells = kernels.map { kernel in columns.map { $0.cell(kernel) } }
        let titles = columns.map { column in
            guard let sort, column.key == sort.0 else { return column.title }
            return column.title + (look.unicode ? (sort.1 ? "▲" : "▼") : (sort.1 ? "^" : "v"))
        }
        let fit = ColumnFit(
            columns.indices.map { index in
                let natural = cells.map { DisplayWidth.of($0[index].text) }.max() ?? 0
                return .init(
                    natural: max(natural, titles[index].count),
                    least: columns[index].least.map { max($0, min(titles[index].count, natural)) },
                    worth: columns[index].worth)
            }, into: width)
        let title = line(titles.map { ($0, .strong) }, fit)
        return [title] + cells.map { line($0, fit) }
    }

    private func line(_ cells: [(text: String, style: StyledLine.Style)], _ fit: ColumnFit) -> StyledLine {
        var line = StyledLine()
        for (index, cell) in cells.enumerated() {
            guard let width = fit.widths[index] else { continue }
            if line.width > 0 { line.add("  ") }
            let text = columns[index].fitted(cell.text, width, look)
            let padded = DisplayWidth.padded(text, to: width, right: columns[index].isRight)
            line.add(padded, cell.style)
        }
        return line
    }
}
