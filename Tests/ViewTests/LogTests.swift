import Foundation
import Glibc
import Ground
import RelayLink
import Testing

@testable import KernelRelay

@Suite struct LogLineTests {
    @Test(arguments: [
        (LogEntry(time: "T1Z", event: "serving"), "T1Z serving"),
        (
            LogEntry(time: "T1Z", event: "kernel started", kernel: "k", facts: ["b": "2", "a": "x y"]),
            "T1Z kernel started kernel=k a=\"x y\" b=2"
        ),
        (LogEntry(time: "T1Z", event: "e", facts: ["a": ""]), "T1Z e a=\"\""),
        (LogEntry(time: "T1Z", event: "e", facts: ["a": "b=c d=e"]), "T1Z e a=\"b=c d=e\""),
        (
            LogEntry(time: "T1Z", event: "e", facts: ["a": "q\"\\\n\u{1B}\u{202E}é"]),
            "T1Z e a=\"q\\u{22}\\u{5c}\\u{a}\\u{1b}\\u{202e}é\""
        ),
        (LogEntry(time: "T1Z", event: "e", facts: ["a": "\u{9B}31m"]), "T1Z e a=\"\\u{9b}31m\""),
    ])
    func lines(_ entry: LogEntry, _ line: String) {
        #expect(LogLine.text(entry) == line)
        #expect(LogLine.entry(line) == entry)
    }

    @Test(arguments: [
        "", "   ", "Fatal error: Index out of range", "T1Z", "T1Z a=\"open", "T1Z e a=\"\\u{zz}\"",
        "T1Z e a=\"\\x\"",
        "T1Z e a=b c d=\"", "T1Z e a=1 word",
    ])
    func whatIsNoLine(_ line: String) { #expect(LogLine.entry(line) == nil) }
}

@Suite struct LogRingTests {
    private func entry(_ number: Int) -> LogEntry { LogEntry(time: "T\(number)Z", event: "e") }

    @Test func theLastAreKept() {
        let ring = LogRing(limit: 3)
        #expect(ring.page() == .init(entries: [], missed: 0, next: 0))
        for number in 0..<8 {
            ring.append(entry(number))
            let kept = Array(max(0, number - 2)...number)
            let page = ring.page()
            #expect(page.entries == kept.map(entry) && page.next == Int64(number + 1))
            #expect(page.missed == Int64(kept[0]))
        }
        #expect(ring.page(from: 6) == .init(entries: [entry(6), entry(7)], missed: 0, next: 8))
        #expect(ring.page(from: 8) == .init(entries: [], missed: 0, next: 8))
        #expect(ring.page(from: 3).missed == 2)
        #expect(ring.page(from: 99) == .init(entries: [], missed: 0, next: 8))
    }

    @Test func whoFollowsIsRung() async {
        let ring = LogRing(limit: 2)
        let bell = ring.bell()
        for number in 0..<5 { ring.append(entry(number)) }
        var rung = 0
        for await _ in bell {
            rung += 1
            if rung == 2 { break }
            #expect(ring.page().next == 5)
            ring.append(entry(5))
        }
        #expect(rung == 2)
    }

    @Test func longFactsAreCutAndTheKernelIsApart() {
        let name = UUID().uuidString
        let zalgo = "e" + String(repeating: "\u{301}", count: 100_000)
        Log.note("long", ["kernel": name, "fact": zalgo])
        let entry = Log.ring.page().entries.last { $0.kernel == name }
        #expect(entry?.facts["fact"]?.unicodeScalars.count == Tuning.longestFact)
        #expect(entry?.facts.keys.contains("kernel") == false)
    }

    @Test func theEndOfAStreamIsKept() {
        let tail = ByteTail(limit: 4)
        var all: [UInt8] = []
        for length in [0, 1, 2, 7, 3, 4, 5, 100, 1] {
            let piece = (0..<length).map { UInt8(truncatingIfNeeded: all.count + $0) }
            tail.append(piece)
            all += piece
            #expect(tail.content.bytes == Array(all.suffix(4)))
            #expect(tail.content.before == max(0, all.count - 4))
        }
    }
}

@Suite struct LogFileTests {
    private func withFolder(_ test: (String) throws -> Void) throws {
        let scratch = try Scratch()
        try withExtendedLifetime(scratch) { try test(scratch.path) }
    }

    private func put(_ text: String, into descriptor: Int32) { _ = write(descriptor, text, text.utf8.count) }
    private func content(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    @Test func aLargeFileIsSetAside() throws {
        try withFolder { folder in
            let file = LogFile("\(folder)/relayd.log", limit: 10)
            let descriptor = try file.open()
            defer { close(descriptor) }
            for round in ["first", "second", "third"] {
                put("\(round)\n", into: descriptor)
                file.renew(descriptor)
                #expect(content(file.former) == nil, "it is small")
                put("and more of it\n", into: descriptor)
                file.renew(descriptor)
                #expect(content(file.former) == "\(round)\nand more of it\n")
                #expect(content(file.path) == "")
                #expect(file.lastLines(9) == [round, "and more of it"])
                unlink(file.former)
            }
            var facts = stat()
            #expect(stat(file.path, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
        }
    }

    @Test func anotherOutputIsLeftAlone() throws {
        try withFolder { folder in
            let file = LogFile("\(folder)/relayd.log", limit: 10)
            close(try file.open())
            let other = open("\(folder)/terminal", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            defer { close(other) }
            put("far more than ten bytes\n", into: other)
            file.renew(other)
            put("more\n", into: other)
            #expect(content("\(folder)/terminal") == "far more than ten bytes\nmore\n")
            #expect(content(file.former) == nil)
        }
    }

    @Test func theLastLinesOfBoth() throws {
        try withFolder { folder in
            let file = LogFile("\(folder)/relayd.log", limit: 1000)
            #expect(file.lastLines(5) == [])
            try "a\nb\n".write(toFile: file.former, atomically: true, encoding: .utf8)
            try "c\nd".write(toFile: file.path, atomically: true, encoding: .utf8)
            #expect(file.lastLines(1) == ["d"])
            #expect(file.lastLines(3) == ["b", "c", "d"])
            #expect(file.lastLines(.max) == ["a", "b", "c", "d"])
        }
    }
}
