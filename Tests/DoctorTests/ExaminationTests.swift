import Host
import KernelRelay
import Testing

/// Which checks are made, in what order, and which are skipped because of which.
@Suite struct ExaminationTests {
    private static let chart = Chart(.init(engine: Engine(EngineClient(environment: [:])), environment: [:]))

    private static func check(
        _ name: String, _ needs: [String] = [], _ mark: Check.Mark = .good
    ) -> Check {
        Check(name, needs: needs) { _ in finding(mark, "looked at") }
    }

    private static func finding(_ mark: Check.Mark, _ text: String) -> Check.Finding {
        switch mark {
        case .good: .good(text)
        case .warning: .warning(text)
        case .bad: .bad(text, "mend it")
        case .skipped: .skipped(text)
        }
    }

    private func marks(_ checks: [Check]) async -> [String] {
        let (entries, _) = await Examination(checks).run(on: Self.chart)
        return entries.map { entry in
            "\(entry.name) \(entry.finding.mark.rawValue)" + (entry.because.map { " \($0)" } ?? "")
        }
    }

    private static let table: [(checks: [Check], expected: [String])] = [
        ([], []),
        ([check("a"), check("b", ["a"])], ["a good", "b good"]),
        ([check("b", ["a"]), check("c"), check("a")], ["c good", "a good", "b good"]),
        ([check("a", [], .warning), check("b", ["a"])], ["a warning", "b good"]),
        ([check("a", [], .bad), check("b", ["a"])], ["a bad", "b skipped a"]),
        // The first cause is named, and not what was skipped for it.
        (
            [check("a", [], .bad), check("b", ["a"]), check("c", ["b"]), check("d")],
            ["a bad", "b skipped a", "c skipped a", "d good"]
        ),
        // What has nothing to look at is in nobody's way.
        ([check("a", [], .skipped), check("b", ["a"])], ["a skipped", "b good"]),
        ([check("a"), check("x", [], .bad), check("b", ["a", "x"])], ["a good", "x bad", "b skipped x"]),
        ([check("a", ["nowhere"])], ["a skipped nowhere"]),
        ([check("a", ["b"]), check("b", ["a"]), check("c")], ["c good", "a skipped b", "b skipped b"]),
    ]

    @Test(arguments: table.indices)
    func orderAndSkips(_ row: Int) async {
        #expect(await marks(Self.table[row].checks) == Self.table[row].expected)
    }

    @Test func aCheckHandsOnWhatItFound() async {
        let facts = [
            Check("first") { chart in
                chart.status = .string("found")
                return .good("")
            },
            Check("second", needs: ["first"]) { chart in .good(chart.status?.text ?? "nothing") },
        ]
        let (entries, chart) = await Examination(facts).run(on: Self.chart)
        #expect(entries.last?.finding.text == "found" && chart.status == .string("found"))
    }

    /// Not even one that does not heed its cancellation holds the others up, and what it writes is not read.
    @Test func aCheckThatNeverEnds() async {
        let (started, start) = AsyncStream<Void>.makeStream()
        let hung = Check("hung", limit: .milliseconds(20)) { chart in
            chart.status = .string("half")
            start.finish()
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
            return .good("never")
        }
        let (entries, chart) = await Examination([hung, Self.check("next"), Self.check("b", ["hung"])])
            .run(on: Self.chart)
        for await _ in started {}
        #expect(entries.map(\.finding.mark) == [.bad, .good, .skipped])
        #expect(chart.status == nil)
        #expect(entries.first?.finding.remedy == "uptime  # the load of this machine")
    }

    /// The check that is under way comes to its end, and is not judged; no other is begun.
    @Test func anInterruption() async {
        let (reached, reach) = AsyncStream<Void>.makeStream()
        let (undone, undo) = AsyncStream<String>.makeStream()
        let checks = [
            Self.check("before"),
            Check("first", limit: .seconds(1000)) { _ in
                reach.finish()
                // Ends by its cancellation alone.
                try? await Task.sleep(for: .seconds(1000))
                undo.yield("first")
                return .bad("half done", "mend it")
            },
            Check("second") { _ in
                undo.yield("second")
                return .good("")
            },
        ]
        let task = Task { await Examination(checks).run(on: Self.chart).entries }
        for await _ in reached {}
        task.cancel()
        #expect(await task.value.map(\.name) == ["before"])
        undo.finish()
        var ended: [String] = []
        for await name in undone { ended.append(name) }
        #expect(ended == ["first"])
    }

    /// What was begun is known to those who look for it, also when the check that began it ran out of time.
    @Test func whatWasBegunStaysKnown() async {
        let begun = TrialKernel.Remains(ports: [1], connectionFile: "/x")
        let (written, write) = AsyncStream<Void>.makeStream()
        let checks = [
            Check("first", limit: .milliseconds(1)) { chart in
                chart.begun.trial = begun
                write.finish()
                try? await Task.sleep(for: .seconds(1000))
                return .good("")
            },
            Check("second") { chart in
                // The first one's time may be over before it has begun.
                for await _ in written {}
                return chart.begun.trial == begun ? .good("") : .bad("unknown", "mend it")
            },
        ]
        let entries = await Examination(checks).run(on: Self.chart).entries
        #expect(entries.map(\.finding.mark) == [.bad, .good])
    }

    @Test func everyCheckNeedsWhatIsThere() {
        for container in [true, false] {
            let checks = Examination.checks(container: container)
            let names = checks.map(\.name)
            #expect(Set(names).count == names.count)
            #expect(names.allSatisfy { $0.count < 18 }, "a column of names")
            for (index, check) in checks.enumerated() {
                #expect(Set(check.needs).isSubset(of: names[..<index]), "\(check.name)")
            }
        }
    }

    @Test func oneFailureIsEnough() {
        func report(_ marks: Check.Mark...) -> DoctorReport {
            DoctorReport(
                entries: marks.map { .init("x", Self.finding($0, "")) }, container: nil)
        }
        #expect(report(.good, .warning, .skipped).isHealthy)
        #expect(!report(.good, .bad).isHealthy)
        #expect(report(.good, .good, .bad).summary == "2 good, 1 failed")
    }

    @Test func linesOfACheck() {
        var finding = Check.Finding.bad("it is paused", "docker unpause dev", code: "KR-CONTAINER-PAUSED")
        finding.phases = [.init("gate", milliseconds: 1.25), .init("spawn", milliseconds: 40.4)]
        let entry = Examination.Entry("container", finding)
        let margin = String(repeating: " ", count: 20)
        #expect(
            DoctorReport.lines(entry, colours: false) == [
                "✗ container         it is paused", margin + "gate 1.3 ms, spawn 40 ms",
                margin + "docker unpause dev",
            ])
        #expect(DoctorReport.lines(entry, colours: true)[0].hasPrefix("\u{1B}[31m✗"))
    }

    /// A gate's words are those of whoever has the container.
    @Test func noCommandReachesTheTerminal() {
        let escape = "\u{1B}]0;x\u{7}\u{1B}[2J\u{9B}1m\n"
        var finding = Check.Finding.bad("text\(escape)", "remedy\(escape)")
        finding.phases = [.init("phase\(escape)", milliseconds: 1)]
        let lines = DoctorReport.lines(.init("gate", finding), colours: false)
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.unicodeScalars.allSatisfy(\.isPrintable) })
        #expect(lines[2].hasSuffix("remedy?]0;x??[2J?1m?"))
    }
}
