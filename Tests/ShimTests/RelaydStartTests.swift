import Foundation
import Glibc
import RelayLink
import Testing

/// A relayd is started where none listens, once, and again when it has died.
@Suite struct RelaydStartTests {
    /// The listener waits under another name; the fake `relayd start` puts it in its place.
    static let start = "sleep 0.05; mv waiting.sock relayd.sock"

    @Test func itIsStartedWhereNoneListens() throws {
        let rig = try Rig(start: Self.start)
        let relayd = try FakeRelayd(rig.waiting)
        let shim = try rig.shim()
        let connection = try relayd.connection()
        _ = try connection.next()
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end() == .code(0))
        #expect(try String(contentsOfFile: "\(rig.runtime)/starts", encoding: .utf8) == "start\n")
    }

    @Test func fiftyAtOnceStartOne() throws {
        let rig = try Rig(start: "sleep 0.5; mv waiting.sock relayd.sock")
        let relayd = try FakeRelayd(rig.waiting)
        let shims = try (0..<50).map { _ in try rig.shim() }
        for _ in shims {
            let connection = try relayd.connection()
            _ = try connection.next()
            connection.send(Rig.exited(.code(0)))
        }
        for shim in shims { #expect(try shim.end() == .code(0)) }
        #expect(rig.starts == 1)
        #expect(relayd.acceptedCount == 50)
    }

    @Test func itsFailureIsPassedOn() throws {
        let rig = try Rig(start: "echo 'relayd: KR-SYSTEM: no disk' >&2; exit 71")
        let shim = try rig.shim()
        #expect(try shim.end() == .code(69))
        let lines = shim.stderr().split(separator: "\n")
        #expect(lines.first == "relayd: KR-SYSTEM: no disk")
        #expect(lines.last?.hasPrefix("relay-shim: KR-RELAYD-START: ") == true)
        #expect(lines.count == 2)
        #expect(rig.starts == 2)
    }

    /// While one relayd ends, the next may have to be asked for twice.
    @Test func aStartThatFailedOnceIsOfNoConsequence() throws {
        let rig = try Rig(
            start: "[ -e failed ] || { touch failed; echo 'relayd: busy' >&2; exit 69; }; \(Self.start)")
        let relayd = try FakeRelayd(rig.waiting)
        let shim = try rig.shim()
        let connection = try relayd.connection()
        _ = try connection.next()
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end() == .code(0))
        #expect(shim.stderr() == "")
        #expect(rig.starts == 2)
    }

    @Test func aRelaydThatEndsIsLeftForTheNext() throws {
        let rig = try Rig(start: Self.start)
        let first = try FakeRelayd(rig.socket)
        let shim = try rig.shim()
        let next = try FakeRelayd(rig.waiting)
        for round in 1...3 {
            let connection = try first.connection()
            guard case .launch = try connection.next() else { throw Silence(description: "launch") }
            // Its last words, when nobody listens any more.
            if round == 3 { first.die() }
            connection.send(
                .failed(request: 1, code: "KR-RELAYD-STOPPING", message: "relayd is ending", remedy: "R."))
        }
        let connection = try next.connection()
        guard case .launch = try connection.next() else { throw Silence(description: "launch") }
        connection.send(Rig.exited(.code(0)))
        #expect(try shim.end() == .code(0))
        #expect(shim.stderr() == "")
        #expect(rig.starts == 1)
    }

    @Test func anEmptyPromiseIsSeen() throws {
        let rig = try Rig(start: "exit 0")
        let shim = try rig.shim()
        #expect(try shim.end() == .code(69))
        #expect(shim.stderr().contains("KR-RELAYD-START"))
    }

    @Test(arguments: ["/nowhere/relayd", "/etc/passwd", "/"])
    func aProgramThatIsNoneIsNamed(path: String) throws {
        let rig = try Rig()
        rig.environment["KERNELRELAY_RELAYD"] = path
        let shim = try rig.shim()
        #expect(try shim.end() == .code(69))
        #expect(shim.stderr().hasPrefix("relay-shim: KR-RELAYD-MISSING: "))
    }

    @Test func aRuntimeFolderThatOthersMayEnterIsRefused() throws {
        let rig = try Rig()
        chmod(rig.runtime, 0o755)
        let shim = try rig.shim()
        #expect(try shim.end() == .code(73))
        #expect(shim.stderr().hasPrefix("relay-shim: KR-RUNTIME-FOLDER: "))
    }

    @Test(arguments: [SIGTERM, SIGHUP])
    func theStartCanBeGivenUp(number: Int32) throws {
        let rig = try Rig(start: "echo $$ > pid; sleep 100")
        let shim = try rig.shim()
        let pid = try eventually("the start") { rig.pid("pid") }
        shim.signal(number)
        #expect(try shim.end() == .signal(number))
        try eventually("the starter's end") { kill(pid, 0) != 0 ? () : nil }
    }

    @Test func theStartersDeathFreesTheLock() throws {
        let rig = try Rig(
            start: "[ -e waiting.sock ] || { echo $$ > asleep; exec sleep 100; }; mv waiting.sock relayd.sock"
        )
        let first = try rig.shim()
        let asleep = try eventually("the start") { rig.pid("asleep") }
        defer { kill(asleep, SIGKILL) }
        let second = try rig.shim()
        let relayd = try FakeRelayd(rig.waiting)
        first.signal(SIGKILL)
        #expect(try first.end() == .signal(SIGKILL))
        let connection = try relayd.connection()
        _ = try connection.next()
        connection.send(Rig.exited(.code(0)))
        #expect(try second.end() == .code(0))
        #expect(rig.starts == 2)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be two users"))
    func anotherUsersRelaydGetsNothing() throws {
        let rig = try Rig()
        let other = Process()
        other.executableURL = URL(filePath: "/usr/bin/python3")
        other.arguments = [
            "-c",
            """
            import os, socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.bind(sys.argv[1])
            os.setuid(65534)
            s.listen()
            os.write(1, b"listening")
            c, _ = s.accept()
            os.write(1, b"%d" % len(c.recv(100)))
            """, rig.socket,
        ]
        let output = Pipe()
        other.standardOutput = output
        try other.run()
        #expect(output.fileHandleForReading.availableData == Data("listening".utf8))
        let shim = try rig.shim()
        #expect(try shim.end() == .code(69))
        #expect(shim.stderr().hasPrefix("relay-shim: KR-RELAYD-FOREIGN: "))
        other.waitUntilExit()
        #expect(output.fileHandleForReading.availableData == Data("0".utf8))
    }

    // MARK: - When it dies

    @Test func aLostRelaydIsStartedAndToldOfTheKernel() throws {
        let rig = try Rig(start: Self.start)
        let (shim, relayd, connection) = try rig.running()
        let next = try FakeRelayd(rig.waiting)
        relayd.die(connection)
        let again = try next.connection()
        guard case .resume(1, let launch, let keepsake) = try again.next() else {
            throw Silence(description: "resume")
        }
        #expect(keepsake == Rig.keepsake)
        #expect(launch.container == "dev")
        #expect(rig.starts == 1)
        again.send(.launched(request: 1, Rig.keepsake))
        shim.signal(SIGINT)
        #expect(try again.next() == .signal(number: SIGINT))
        again.send(Rig.exited(.code(2)))
        #expect(try shim.end() == .code(2))
    }

    @Test func signalsAreKeptMeanwhile() throws {
        let rig = try Rig(start: Self.start)
        let (shim, relayd, connection) = try rig.running()
        let next = try FakeRelayd(rig.waiting)
        relayd.die(connection)
        let again = try next.connection()
        _ = try again.next()
        for number in [SIGINT, SIGTERM] {
            shim.signal(number)
            // Two that are pending at once have no order.
            usleep(50_000)
        }
        #expect(again.pending == 0)
        again.send(.launched(request: 1, Rig.keepsake))
        #expect(try again.next() == .signal(number: SIGINT))
        #expect(try again.next() == .signal(number: SIGTERM))
        again.send(Rig.exited(.signal(SIGTERM, coreDumped: false)))
        #expect(try shim.end() == .signal(SIGTERM))
        #expect(shim.stderr() == "")
    }

    @Test func aKernelThatCannotBeTakenUpIsGivenUp() throws {
        let rig = try Rig(start: "exit 1")
        let (shim, relayd, connection) = try rig.running()
        relayd.die(connection)
        #expect(try shim.end(within: 30) == .code(69))
        #expect(shim.stderr().contains("relay-shim: KR-RELAYD-LOST: "))
        #expect((3...6).contains(rig.starts))
    }

    @Test func aRelaydThatDiesDuringTheLaunchIsTriedAgain() throws {
        let rig = try Rig(start: Self.start)
        let first = try FakeRelayd(rig.socket)
        let shim = try rig.shim()
        let connection = try first.connection()
        _ = try connection.next()
        let next = try FakeRelayd(rig.waiting)
        first.die(connection)
        let again = try next.connection()
        guard case .launch = try again.next() else { throw Silence(description: "launch") }
        again.hangUp()
        let third = try next.connection()
        guard case .launch = try third.next() else { throw Silence(description: "launch") }
        third.hangUp()
        #expect(try shim.end() == .code(69))
        #expect(shim.stderr().contains("KR-RELAYD-START"))
    }
}
