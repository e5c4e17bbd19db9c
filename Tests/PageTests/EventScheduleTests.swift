import RelayLink
import Testing

@testable import KernelRelay

/// What is said to those who follow, turn by turn.
@Suite struct EventScheduleTests {
    private func report(_ seconds: Int64, word: String = "ok") -> JSON {
        let time = JSON.number(Double(seconds))
        return [
            "schema_version": 2, "uptime_seconds": time, "resources": ["cpu_seconds": time],
            "kernels": [
                [
                    "id": "k", "uptime_seconds": time,
                    "verdict": ["word": .string(word), "since_seconds": time, "text": "", "remedy": .null],
                    "ladder": [
                        ["hop": "gate", "lamp": "good", "text": "answers", "milliseconds": time],
                        [
                            "hop": "traffic", "lamp": "good", "text": .string("reply \(seconds) s ago"),
                            "milliseconds": time,
                        ],
                    ],
                    "activity": [
                        "busy_seconds": time, "shell_reply_seconds_ago": time, "iopub_seconds_ago": .null,
                    ],
                    "process": ["pid": 7, "state": "sleeping", "cpu_seconds": time, "memory_bytes": 1000],
                ]
            ],
            "ended": [
                ["id": "e", "ended_seconds_ago": time, "verdict": ["word": "failed", "since_seconds": time]]
            ],
            "gates": [["container": "dev", "state": "open"]],
        ]
    }

    private func withoutKernels(_ seconds: Int64) -> JSON {
        ["uptime_seconds": .whole(seconds), "kernels": [], "ended": []]
    }

    @Test func timeAloneIsNoNews() {
        var schedule = EventSchedule()
        #expect(schedule.wantsHistory)
        #expect(schedule.event(for: report(0)) != nil)
        #expect(!schedule.wantsHistory)
        #expect(schedule.event(for: report(1)) == nil)
        let news = schedule.event(for: report(2, word: "busy"))
        let text = String(decoding: news ?? [], as: UTF8.self)
        #expect(text.hasPrefix("data: {") && text.hasSuffix("}\n\n") && text.contains("busy"))
        #expect(text.dropLast(2).contains("\n") == false)
    }

    /// Each of these is something that happened.
    @Test(
        arguments: [
            ("verdict", ["word": "ok", "text": "another", "since_seconds": 1]),
            ("ladder", [["hop": "gate", "lamp": "bad"]]),
            ("process", ["state": "stopped"]), ("round_trip", ["count": 2]), ("route", "bridge"),
        ] as [(String, JSON)])
    func whatHappensIsNews(field: String, value: JSON) {
        var kernel = report(0).fields?["kernels"]?.list?.first?.fields ?? [:]
        let before = EventSchedule.essence(["kernels": [.object(kernel)]])
        kernel[field] = value
        #expect(EventSchedule.essence(["kernels": [.object(kernel)]]) != before)
    }

    /// The plots go on, whether anything happens or not.
    @Test func historyComesInTurn() {
        var schedule = EventSchedule()
        for turn in 0..<11 {
            #expect(schedule.wantsHistory == (turn % 5 == 0))
            #expect((schedule.event(for: report(Int64(turn))) != nil) == (turn % 5 == 0))
        }
    }

    @Test func silenceIsBroken() {
        var schedule = EventSchedule()
        let events = (0...20).map { schedule.event(for: withoutKernels($0)) }
        #expect(events[1...9].allSatisfy { $0 == nil })
        #expect(events[10] == EventSchedule.silent && events[20] == EventSchedule.silent)
        #expect(events[11...19].allSatisfy { $0 == nil })
    }

    /// What is of another shape is compared whole.
    @Test(arguments: [.null, [], ["kernels": 1], ["kernels": [.null, []], "ended": "x"]] as [JSON])
    func nonsenseIsComparedToo(_ report: JSON) {
        var schedule = EventSchedule()
        #expect(schedule.event(for: report) != nil)
        #expect(schedule.event(for: report) == nil)
    }

    /// A text with line breaks must not end the event before its end.
    @Test func anEventIsOneLine() {
        var schedule = EventSchedule()
        let event = schedule.event(for: ["kernels": [["notebook": "a\n\ndata: x\r\n"]]])
        let text = String(decoding: event ?? [], as: UTF8.self)
        #expect(text.utf8.count { $0 == 10 } == 2 && text.hasSuffix("\n\n") && !text.contains("\r"))
    }
}
