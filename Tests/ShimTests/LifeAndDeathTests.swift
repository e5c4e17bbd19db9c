import Foundation
import Glibc
import RelayLink
import Testing

/// The shim ends as its kernel does, and does its part until then.
@Suite struct LifeAndDeathTests {
    @Test func aCleanEndIsSilent() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end() == .code(0))
        #expect(shim.stderr() == "")
    }

    @Test func theExitCodeIsTheKernels() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        connection.send(Rig.exited(.code(3)))
        #expect(try shim.end() == .code(3))
        #expect(
            shim.stderr()
                == "relay-shim: KR-KERNEL-FAILED: the kernel ended by itself: exit code 3. Read what it wrote above; then restart it.\n"
        )
    }

    @Test(arguments: [SIGKILL, SIGSEGV, SIGABRT, SIGTERM, SIGINT, SIGUSR1, SIGXCPU, 40])
    func itDiesOfTheSameSignal(number: Int32) throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        connection.send(Rig.exited(.signal(number, coreDumped: true)))
        #expect(try shim.end() == .signal(number))
        #expect(
            shim.stderr().hasPrefix(
                "relay-shim: KR-KERNEL-KILLED: a signal ended the kernel: signal \(number),"))
    }

    @Test(arguments: [SIGSTOP, SIGTSTP, SIGCHLD, SIGCONT])
    func aSignalThatEndsNothingBecomesACode(number: Int32) throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        connection.send(Rig.exited(.signal(number, coreDumped: false)))
        #expect(try shim.end() == .code(128 + number))
    }

    @Test func wantOfMemoryIsNamed() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        connection.send(Rig.exited(.signal(SIGKILL, coreDumped: false), oom: true, left: 2))
        #expect(try shim.end() == .signal(SIGKILL))
        let lines = shim.stderr().split(separator: "\n").map { $0.split(separator: ":")[1] }
        #expect(lines == [" KR-KERNEL-OUT-OF-MEMORY", " KR-KERNEL-LEFT"])
    }

    @Test func signalsArePassedOnInOrder() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        for number in [SIGINT, SIGUSR1, SIGINT, SIGUSR2, SIGHUP, SIGQUIT, SIGTERM, SIGTERM] {
            shim.signal(number)
            #expect(try connection.next() == .signal(number: number))
        }
        connection.send(Rig.exited(.signal(SIGTERM, coreDumped: false)))
        #expect(try shim.end() == .signal(SIGTERM))
        #expect(shim.stderr() == "", "whoever asked for the end need not be told of it")
    }

    @Test func anInterruptBeforeTheLaunchIsNone() throws {
        let rig = try Rig()
        let relayd = try FakeRelayd(rig.socket)
        let shim = try rig.shim()
        let connection = try relayd.connection()
        _ = try connection.next()
        for number in [SIGINT, SIGUSR1, SIGUSR2] { shim.signal(number) }
        connection.send(.launched(request: 1, Rig.keepsake))
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end() == .code(0))
        #expect(connection.pending == 0)
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGQUIT])
    func anEndBeforeTheLaunchEndsTheLaunch(number: Int32) throws {
        let rig = try Rig()
        let relayd = try FakeRelayd(rig.socket)
        let shim = try rig.shim()
        let connection = try relayd.connection()
        _ = try connection.next()
        shim.signal(number)
        #expect(try shim.end() == .signal(number))
        try eventually("the connection's end") { connection.hasEnded ? () : nil }
    }

    @Test func outputGoesWhereItBelongs() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        connection.send(.output(stream: .stdout, data: Array("out".utf8)))
        connection.send(.output(stream: .stderr, data: [0xFF, 0x0A]))
        connection.send(.output(stream: .stderr, data: Array("err\n".utf8)))
        var out = ""
        var err = ""
        try eventually("the output") {
            out += shim.stdout()
            err += shim.stderr()
            return out == "out" && err == "\u{FFFD}\nerr\n" ? () : nil
        }
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end() == .code(0))
    }

    @Test func aPipeThatNobodyReadsHoldsUpNothing() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        let piece = [UInt8](repeating: 0x78, count: 50_000)
        // More than the pipe takes, less than the shim holds.
        for _ in 0..<6 { connection.send(.output(stream: .stderr, data: piece)) }
        shim.signal(SIGINT)
        #expect(try connection.next() == .signal(number: SIGINT))
        var count = 0
        try eventually("all of it") {
            count += shim.stderr().utf8.count
            return count == 300_000 ? () : nil
        }
        for _ in 0..<3 { connection.send(.output(stream: .stderr, data: piece)) }
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end(within: 5) == .code(0), "its pipe is full, and nobody reads it")
    }

    /// relayd holds up to 4 MiB, and the end stands behind it.
    @Test func aKernelWhoseOutputNobodyReadsEnds() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        let piece = [UInt8](repeating: 0x78, count: 50_000)
        // A shim that does not read would hold up the test as well.
        Thread {
            for _ in 0..<100 { connection.send(.output(stream: .stdout, data: piece)) }
            connection.send(Rig.exited(.code(3)))
        }.start()
        #expect(try shim.end() == .code(3))
        let lines = shim.stderr().split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.last?.hasPrefix("relay-shim: KR-KERNEL-FAILED: ") == true)
        let gap = try Self.gap(in: String(lines[0]), of: "stdout")
        let written = shim.stdout().utf8.count
        #expect((4096...(1 << 20)).contains(written))
        #expect(gap + written + 1 << 20 == 5_000_000, "a mebibyte was held")
    }

    @Test(arguments: [GateReport.OutputStream.stdout, .stderr])
    func aSlowReaderIsToldOfTheGap(stream: GateReport.OutputStream) throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        let other: GateReport.OutputStream = stream == .stdout ? .stderr : .stdout
        let piece = [UInt8](repeating: 0x78, count: 50_000)
        Thread {
            for _ in 0..<60 { connection.send(.output(stream: stream, data: piece)) }
            connection.send(.output(stream: other, data: Array("seen\n".utf8)))
        }.start()
        let text = Texts()
        try eventually("the shim's reading on") {
            text[other] += other == .stdout ? shim.stdout() : shim.stderr()
            return text[other] == "seen\n" ? () : nil
        }
        func look() {
            text[.stdout] += shim.stdout()
            text[.stderr] += shim.stderr()
        }
        try eventually("the line") {
            look()
            return text[.stderr].contains("nobody read them\n") ? () : nil
        }
        connection.send(.output(stream: stream, data: Array("after\n".utf8)))
        try eventually("what is behind the gap") {
            look()
            return text[stream].hasSuffix("after\n") ? () : nil
        }
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end() == .code(0))
        let lines = text[.stderr].split(separator: "\n").filter { $0.hasPrefix("relay-shim: ") }
        #expect(lines.count == 1)
        let gap = try Self.gap(in: String(lines.first ?? ""), of: stream.rawValue)
        let read = text[stream].utf8.count { $0 == 0x78 }
        #expect(gap + read == 3_000_000)
        // What is behind the gap stands behind the line that tells of it.
        let isInOrder = text[stream].hasSuffix(stream == .stderr ? "nobody read them\nafter\n" : "xafter\n")
        #expect(isInOrder)
    }

    private final class Texts {
        private var texts: [GateReport.OutputStream: String] = [:]
        subscript(_ stream: GateReport.OutputStream) -> String {
            get { texts[stream] ?? "" }
            set { texts[stream] = newValue }
        }
    }

    private static func gap(in line: String, of stream: String) throws -> Int {
        let words = line.split(separator: " ")
        try #require(words.count > 2, "\(line)")
        let count = try #require(Int(words[1]))
        #expect(
            line == "relay-shim: \(count) bytes of the kernel's \(stream) were dropped: nobody read them")
        return count
    }

    @Test func aClosedStderrDoesNotEndTheKernel() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        shim.closeStderr()
        for _ in 0..<20 {
            connection.send(.output(stream: .stderr, data: [UInt8](repeating: 1, count: 30_000)))
        }
        connection.send(.output(stream: .stdout, data: Array("still".utf8)))
        var out = ""
        try eventually("output") {
            out += shim.stdout()
            return out == "still" ? () : nil
        }
        #expect(!connection.hasEnded)
        connection.send(Rig.exited(.code(7)))
        #expect(try shim.end() == .code(7))
    }

    @Test func itCanStartWithNoDescriptorsAtAll() throws {
        let rig = try Rig()
        let relayd = try FakeRelayd(rig.socket)
        let shim = try rig.shim(closed: [0, 1, 2])
        let connection = try relayd.connection()
        _ = try connection.next()
        connection.send(.launched(request: 1, Rig.keepsake))
        connection.send(.output(stream: .stdout, data: Array("x".utf8)))
        connection.send(Rig.exited(.code(4)))
        #expect(try shim.end() == .code(4))
        #expect(connection.pending == 0)
    }

    /// As ipykernel does: nobody else would end it.
    @Test func itEndsWithJupyter() throws {
        let rig = try Rig()
        let jupyter = Process()
        jupyter.executableURL = URL(filePath: "/bin/sleep")
        jupyter.arguments = ["100"]
        try jupyter.run()
        rig.environment["JPY_PARENT_PID"] = "\(jupyter.processIdentifier)"
        let (shim, _, connection) = try rig.running()
        kill(jupyter.processIdentifier, SIGKILL)
        #expect(try shim.end() == .signal(SIGTERM))
        try eventually("the connection's end") { connection.hasEnded ? () : nil }
    }

    @Test(arguments: ["0", "-1", "999999999999", "x", "4194305"])
    func aParentThatIsNoneIsNotWaitedFor(number: String) throws {
        let rig = try Rig()
        rig.environment["JPY_PARENT_PID"] = number
        let (shim, _, connection) = try rig.running()
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end() == .code(0))
    }

    @Test(
        arguments: [
            ("KR-CONTAINER-STOPPED", 69), ("KR-USAGE", 64), ("KR-COMMAND", 64),
            ("KR-CONNECTION-NOT-JSON", 66),
            ("KR-ENGINE-DENIED", 77), ("KR-OF-TOMORROW", 69),
        ] as [(String, Int32)])
    func aFailureIsToldWithItsRemedy(code: String, exit: Int32) throws {
        let rig = try Rig()
        let relayd = try FakeRelayd(rig.socket)
        let shim = try rig.shim()
        let connection = try relayd.connection()
        _ = try connection.next()
        // Another's failure is none of ours.
        connection.send(.failed(request: 2, code: "KR-OTHER", message: "no", remedy: "no"))
        connection.send(.failed(request: 1, code: code, message: "it \u{1b}[1m\nis", remedy: "Mend it."))
        #expect(try shim.end() == .code(exit))
        #expect(shim.stderr() == "relay-shim: \(code): it ?[1m?is. Mend it.\n")
    }

    static let nonsense: [[UInt8]] =
        [
            "", "[]", "{}", "null", "{\"v\":2,\"type\":\"exited\",\"code\":0}",
            "{\"v\":1,\"type\":\"dance\"}",
            "{\"v\":1,\"type\":\"exited\"}", "{\"v\":1,\"type\":\"exited\",\"code\":256,\"tail\":\"\"}",
            "{\"v\":1,\"type\":\"exited\",\"signal\":0,\"tail\":\"\"}",
            "{\"v\":1,\"type\":\"exited\",\"signal\":65,\"tail\":\"\"}",
            "{\"v\":1,\"type\":\"launched\",\"request\":1}",
            "{\"v\":1,\"type\":\"output\",\"stream\":\"stdout\",\"data\":\"?\"}",
            String(repeating: "[", count: 5000),
        ].map { Frame(payload: Array($0.utf8)).encoded! }
        + [Array("GET / HTTP/1.1\r\n\r\n".utf8), [UInt8](repeating: 0xFF, count: 64)]

    @Test(arguments: nonsense)
    func nonsenseFromRelaydEndsItWithAReason(bytes: [UInt8]) throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        connection.raw(bytes)
        #expect(try shim.end() == .code(69))
        #expect(shim.stderr().hasPrefix("relay-shim: KR-RELAYD-PROTOCOL: "))
    }

    @Test func otherStreamsAndUnaskedAnswersMeanNothing() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        connection.raw(Frame(stream: 7, payload: [1, 2, 3]).encoded!)
        connection.send(.done(request: 9))
        connection.send(.status(request: 3, .null))
        connection.send(.launched(request: 1, Rig.keepsake))
        connection.send(.launched(request: 5, Rig.keepsake))
        // In pieces, as a socket may give it.
        for byte in Frame(payload: Rig.exited(.code(5)).json).encoded! { connection.raw([byte]) }
        #expect(try shim.end() == .code(5))
    }

    @Test func itHoldsLittleMemoryOfItsOwn() throws {
        let rig = try Rig()
        let (shim, _, connection) = try rig.running()
        for _ in 0..<40 {
            connection.send(.output(stream: .stdout, data: [UInt8](repeating: 0x20, count: 60_000)))
            var count = 0
            try eventually("the output") {
                count += shim.stdout().utf8.count
                return count == 60_000 ? () : nil
            }
        }
        let text = try String(contentsOfFile: "/proc/\(shim.pid)/smaps_rollup", encoding: .utf8)
        let dirty = text.split(separator: "\n").filter { $0.hasPrefix("Private_Dirty") }
            .compactMap { Int($0.split(separator: " ")[1]) }.reduce(0, +)
        #expect(dirty > 0 && dirty < 1024, "\(text)")
        let status = try String(contentsOfFile: "/proc/\(shim.pid)/status", encoding: .utf8)
        #expect(status.contains("Threads:\t1\n"))
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end() == .code(0))
    }
}
