/// One kernel in full: verdict, ladder, channels, launch, process.
enum KernelDetail {
    static func lines(_ kernel: Reading.Kernel, width: Int, look: Look) -> [StyledLine] {
        title(kernel) + verdict(kernel, width) + ladder(kernel, look) + times(kernel, width, look)
            + channels(kernel, width, look) + launch(kernel, width, look) + process(kernel)
    }

    private static func title(_ kernel: Reading.Kernel) -> [StyledLine] {
        var line = StyledLine(kernel.id, .strong)
        if let notebook = kernel.notebook { line.add("  \(notebook)") }
        line.add("  in \(kernel.container)")
        if let user = kernel.user { line.add(" as \(user)") }
        line.add(kernel.route.map { " by \($0)" } ?? " without a route")
        line.add("  up \(Quantity.duration(kernel.uptime))")
        return [line]
    }

    private static func verdict(_ kernel: Reading.Kernel, _ width: Int) -> [StyledLine] {
        let verdict = kernel.verdict
        let style = VerdictWord.style(verdict.word)
        let since = verdict.since.map { " for \(Quantity.duration($0))" } ?? ""
        let whole = "\(verdict.word)\(since)\(verdict.text.isEmpty ? "" : ": \(verdict.text)")"
        let remedy = verdict.remedyLine ?? ""
        return DisplayWidth.wrapped(whole, to: width).map { StyledLine($0, style) }
            + DisplayWidth.wrapped(remedy, to: width).map { StyledLine($0, .strong) }
    }

    private static func ladder(_ kernel: Reading.Kernel, _ look: Look) -> [StyledLine] {
        guard !kernel.ladder.isEmpty else { return [] }
        let name = kernel.ladder.map { DisplayWidth.of($0.name) }.max() ?? 0
        return ["", StyledLine("LADDER", .strong)]
            + kernel.ladder.map { hop in
                let lamp = VerdictWord.lamp(hop.lamp, look)
                let time = hop.milliseconds.map { Quantity.milliseconds($0) } ?? ""
                return StyledLine(" ").adding(lamp.text, lamp.style)
                    .adding(" \(DisplayWidth.padded(hop.name, to: name))", .strong)
                    .adding("  \(DisplayWidth.padded(time, to: 8, right: true))  ").adding(hop.text)
            }
    }

    private static func times(_ kernel: Reading.Kernel, _ width: Int, _ look: Look) -> [StyledLine] {
        let trip = kernel.roundTrip
        let graph = max(0, min(60, width - 16))
        var lines: [StyledLine] = [
            "", StyledLine("ROUND TRIP", .strong),
            StyledLine(
                " now \(Quantity.milliseconds(trip.last))  p50 \(Quantity.milliseconds(trip.half))"
                    + "  p99 \(Quantity.milliseconds(trip.most))  \(Quantity.count(trip.count)) beats"
                    + "  \(Quantity.count(trip.lost)) lost"),
        ]
        let answers =
            kernel.replies.map { ("\($0.channel) replies", $0.times) }
            + kernel.hops.map { ("\($0.name) answers", $0.times) }
        for (name, times) in answers where (times.count ?? 0) > 0 {
            lines.append(
                StyledLine(
                    " \(name)  p50 \(Quantity.milliseconds(times.half))"
                        + "  p99 \(Quantity.milliseconds(times.most))  \(Quantity.count(times.count)) of them"
                ))
        }
        if !kernel.history.roundTrips.isEmpty {
            lines.append(
                StyledLine(" round trip   ").adding(
                    Sparkline.text(kernel.history.roundTrips, width: graph, look: look)))
            lines.append(
                StyledLine(" messages/s   ").adding(
                    Sparkline.text(kernel.history.rates, width: graph, look: look)))
        }
        return lines
    }

    private static func channels(_ kernel: Reading.Kernel, _ width: Int, _ look: Look) -> [StyledLine] {
        guard !kernel.channels.isEmpty else { return [] }
        let titles = ["CHANNEL", "", "MESSAGES", "MSG/S", "BYTES/S", "HELD", "DROPPED"]
        var rows: [[String]] = []
        for channel in kernel.channels {
            for (direction, lane) in [("to kernel", channel.toKernel), ("to client", channel.toClient)] {
                // Nothing has gone by it: most of stdin, and iopub towards the kernel.
                if (lane.messages ?? 0) == 0, lane.dropped.isEmpty, (lane.heldMessages ?? 0) == 0 { continue }
                rows.append([
                    channel.name, direction, Quantity.count(lane.messages), Quantity.count(lane.messageRate),
                    Quantity.bytes(lane.byteRate), held(lane), dropped(lane),
                ])
            }
        }
        guard !rows.isEmpty else { return [] }
        let worths: [Int?] = [nil, 50, 20, 40, 10, 60, 30]
        let fit = ColumnFit(
            titles.indices.map { column in
                let natural = ([titles] + rows).map { DisplayWidth.of($0[column]) }.max() ?? 0
                return .init(natural: natural, least: column == 6 ? 7 : nil, worth: worths[column])
            }, into: width - 1)
        return [""]
            + ([titles] + rows).enumerated().map { index, row in
                var line = StyledLine()
                for (column, cell) in row.enumerated() {
                    guard let width = fit.widths[column] else { continue }
                    if line.width > 0 { line.add("  ") }
                    let text = DisplayWidth.cut(cell, to: width, mark: look.cutMark)
                    let isFigure = (2...4).contains(column)
                    line.add(
                        DisplayWidth.padded(text, to: width, right: isFigure), index == 0 ? .strong : .plain)
                }
                return index == 0 ? line : StyledLine(" ") + line
            }
    }

    private static func held(_ lane: Reading.Flow) -> String {
        guard let messages = lane.heldMessages, messages > 0 else { return "-" }
        return "\(Quantity.count(messages)), \(Quantity.bytes(lane.heldBytes))"
    }

    private static func dropped(_ lane: Reading.Flow) -> String {
        lane.dropped.isEmpty
            ? "-" : lane.dropped.map { "\(Quantity.count($0.value)) \($0.name)" }.joined(separator: ", ")
    }

    private static func launch(_ kernel: Reading.Kernel, _ width: Int, _ look: Look) -> [StyledLine] {
        guard !kernel.phases.isEmpty else { return [] }
        let longest = kernel.phases.map(\.milliseconds).max() ?? 0
        let name = kernel.phases.map { DisplayWidth.of($0.name) }.max() ?? 0
        let room = max(1, min(50, width - name - 16))
        let total = kernel.launchTotal.map { "  \(Quantity.milliseconds($0)) in all" } ?? "  under way"
        // Counters and histories begin there, too.
        let title = kernel.isResumed ? "TAKEN UP AGAIN BY THIS RELAYD" : "LAUNCH"
        return ["", StyledLine(title, .strong).adding(total)]
            + kernel.phases.map { phase in
                let share = longest > 0 ? phase.milliseconds / longest : 0
                // The shortest is still to be seen.
                let bar = max(1, Int((share * Double(room)).rounded()))
                return StyledLine(" \(DisplayWidth.padded(phase.name, to: name))  ")
                    .adding(
                        DisplayWidth.padded(Quantity.milliseconds(phase.milliseconds), to: 8, right: true)
                    )
                    .adding("  ").adding(String(repeating: look.unicode ? "█" : "#", count: min(bar, room)))
            }
    }

    private static func process(_ kernel: Reading.Kernel) -> [StyledLine] {
        var lines: [StyledLine] = ["", StyledLine("PROCESS", .strong)]
        if let process = kernel.process {
            let pid = process.pid.map { "\(Int(min(max($0, 0), 1e9)))" } ?? "-"
            lines.append(
                StyledLine(
                    " pid \(pid) \(process.state)  cpu \(Quantity.percent(process.cpu)) of a core"
                        + " (\(Quantity.duration(process.cpuSeconds)) in all)"
                        + "  memory \(Quantity.bytes(process.memory))"))
        } else {
            lines.append(" not known")
        }
        if let used = kernel.memoryUsed {
            let limit = kernel.memoryLimit.map { " of \(Quantity.bytes($0))" } ?? ", without a limit"
            let kills =
                (kernel.memoryKills ?? 0) > 0 ? "  \(Quantity.count(kernel.memoryKills)) killed for it" : ""
            lines.append(StyledLine(" container memory \(Quantity.bytes(used))\(limit)\(kills)"))
        }
        if let interrupts = kernel.interrupts, interrupts > 0 {
            lines.append(StyledLine(" interrupted by signal: \(Quantity.count(interrupts))"))
        }
        let activity = [
            kernel.busyFor.map { "busy for \(Quantity.duration($0))" },
            kernel.replyAgo.map { "last shell reply \(Quantity.duration($0)) ago" },
            kernel.outputAgo.map { "last output \(Quantity.duration($0)) ago" },
        ].compactMap(\.self)
        if !activity.isEmpty { lines.append(StyledLine(" \(activity.joined(separator: ", "))")) }
        return lines
    }
}
