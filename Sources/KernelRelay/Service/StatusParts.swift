import RelayLink

/// A status report in parts that each fit into a frame: those of hundreds of kernels do not fit into one.
package enum StatusParts {
    /// The first has all but the kernels that follow in the others.
    ///
    /// - Parameter limit: bytes of kernels in one part.
    package static func split(_ report: JSON, limit: Int = Tuning.statusPart) -> [JSON] {
        guard var fields = report.fields, let kernels = fields["kernels"]?.list else { return [report] }
        var groups: [[JSON]] = [[]]
        var room = limit
        for kernel in kernels {
            let size = kernel.encoded.count
            if size > room, groups.last?.isEmpty == false {
                groups.append([])
                room = limit
            }
            groups[groups.count - 1].append(kernel)
            room -= size
        }
        fields["kernels"] = .array(groups.removeFirst())
        return [.object(fields)] + groups.map { ["kernels": .array($0)] }
    }

    /// The report again.
    package static func join(_ parts: [JSON]) -> JSON {
        guard var fields = parts.first?.fields, parts.count > 1 else { return parts.first ?? .null }
        fields["kernels"] = .array(parts.flatMap { $0.fields?["kernels"]?.list ?? [] })
        return .object(fields)
    }
}
