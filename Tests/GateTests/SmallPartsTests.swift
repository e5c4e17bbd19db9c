import Gate
import Glibc
import RelayLink
import Testing

@Suite struct SmallPartsTests {
    @Test func aTailKeepsTheEnd() {
        var tail = Tail(limit: 10)
        #expect(tail.bytes.isEmpty)
        tail.append([1, 2, 3])
        #expect(tail.bytes == [1, 2, 3])
        tail.append(4...12)
        #expect(tail.bytes == Array(3...12))
        tail.append(Array(0...99))
        #expect(tail.bytes == Array(90...99))
    }

    @Test func aTokenMatchesItselfAlone() {
        let token = Token("0123456789abcdef")
        #expect(token.matches(Array("0123456789abcdef".utf8)))
        for other in ["", "0123456789abcdeg", "0123456789abcde", "0123456789abcdef0", "1123456789abcdef"] {
            #expect(!token.matches(Array(other.utf8)))
        }
        #expect(!"\(token)\(String(reflecting: token))".contains("0123"))
        var dumped = ""
        dump(token, to: &dumped)
        #expect(!dumped.contains("48"))
    }

    @Test func accountsAreReadByHand() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nbroken\n:::\nada:x:1000:1000::/home/ada:\nx:x:7:7:::\n"
        #expect(Account(uid: 0, in: passwd).home == "/root")
        #expect(Account(uid: 1000, in: passwd).name == "ada")
        #expect(Account(uid: 7, in: passwd).home == nil)
        #expect(Account(uid: 5, in: passwd).name == nil)
    }

    @Test func kernelsGetTheExecsEnvironment() {
        let exec = Environment(["PATH": "/bin", "JPY_PARENT_PID": "1", "KEEP": "1", "GO": "1"])
        let changes: [String: String?] = ["GO": nil, "NEW": "2"]
        let values = exec.forKernel(adding: changes, mark: ("M", "m")).values
        #expect(values["KEEP"] == "1" && values["NEW"] == "2" && values["M"] == "m")
        #expect(values["GO"] == nil)
        #expect(values["JPY_PARENT_PID"] == String(getpid()))
        let bare = Environment([:]).forKernel(adding: [:], mark: ("M", "m")).values
        #expect(bare["PATH"] == Environment.usualPath)
        #expect(bare["HOME"] != nil)
    }

    @Test func aProcessMayCallItselfAnything() {
        let rest = " S 1 12 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9 9"
        let entry = ProcessTable.Entry(pid: 12, stat: Array("12 (a) R 1 2 3)\(rest)".utf8))
        #expect(entry == .init(pid: 12, stat: Array("12 (x)\(rest)".utf8)))
        #expect(entry?.parent == 1 && entry?.session == 9 && entry?.started == 777)
        #expect(ProcessTable.read()?.entries.contains { $0.pid == getpid() && !$0.isZombie } == true)
        for broken in ["", "12", "12 (x", "12 (x) S", "12 (x) S a b c d"] {
            #expect(ProcessTable.Entry(pid: 12, stat: Array(broken.utf8)) == nil)
        }
    }

    @Test func commandsAreFoundOrTheReasonIs() throws {
        let environment = Environment(["PATH": "/nowhere:/usr/bin:/bin"])
        #expect(try CommandLookup.path(of: "sh", in: environment, from: nil).hasSuffix("/sh"))
        #expect(try CommandLookup.path(of: "bin/sh", in: environment, from: "/") == "//bin/sh")
        func code(_ command: String) -> GateErrorCode? {
            do throws(GateError) {
                _ = try CommandLookup.path(of: command, in: environment, from: nil)
                return nil
            } catch { return error.code }
        }
        #expect(code("no-such-command") == .commandNotFound)
        #expect(code("/no/such/command") == .commandNotFound)
        #expect(code("/etc/passwd") == .commandNotExecutable)
        #expect(code("/etc") == .commandNotExecutable)
        #expect(code("") == .commandNotFound)
    }

    @Test func namesOfGates() {
        for name in ["gate", "a.b-c_1", String(repeating: "x", count: 32)] { #expect(JoinPoint.isName(name)) }
        for name in ["", "a/b", "a b", String(repeating: "x", count: 33), "\u{e9}"] {
            #expect(!JoinPoint.isName(name))
        }
        #expect(JoinPoint.name("gate").contains("-\(getuid())-"))
    }

    @Test func onlyAddressesCanBeBound() {
        #expect(SocketName(ip: "0.0.0.0", port: 1) != nil)
        #expect(SocketName(ip: "::", port: 1) != nil)
        for name in ["", "localhost", "1.2.3", "0.0.0.0 ", "*"] {
            #expect(SocketName(ip: name, port: 1) == nil)
        }
        #expect(SocketName.fits(path: String(repeating: "x", count: 107)))
        #expect(!SocketName.fits(path: String(repeating: "x", count: 108)))
    }
}

@Suite struct TeardownTests {
    private let now = Moment(nanoseconds: 1_000_000_000)

    @Test func aKernelThatLeavesNothingIsOverAtOnce() {
        var teardown = Teardown()
        #expect(teardown.leaderExited(now: now) == [.look(after: .zero)])
        #expect(teardown.saw(living: 0, now: now) == [.finished(left: 0)])
        #expect(teardown.saw(living: 3, now: now).isEmpty)
        #expect(teardown.begin(grace: .zero, now: now).isEmpty)
    }

    @Test func whatItLeavesIsAskedAndThenKilled() {
        var teardown = Teardown()
        _ = teardown.leaderExited(now: now)
        #expect(teardown.saw(living: 2, now: now) == [.signal(SIGTERM), .look(after: Tuning.treeLook)])
        #expect(teardown.saw(living: 1, now: now) == [.look(after: Tuning.treeLook)])
        let late = now + Tuning.orphanGrace
        #expect(teardown.saw(living: 1, now: late) == [.signal(SIGKILL), .look(after: .milliseconds(1))])
        #expect(teardown.hasKilled)
        #expect(teardown.saw(living: 1, now: late) == [.signal(SIGKILL), .look(after: Tuning.treeLook)])
        #expect(teardown.saw(living: 0, now: late) == [.finished(left: 0)])
    }

    @Test func whatCannotBeKilledIsReported() {
        var teardown = Teardown()
        _ = teardown.begin(grace: .zero, now: now)
        _ = teardown.leaderExited(now: now)
        _ = teardown.saw(living: 1, now: now)
        #expect(teardown.saw(living: 1, now: now + Tuning.treeLimit) == [.finished(left: 1)])
    }

    @Test func theShorterGraceCounts() {
        var teardown = Teardown()
        #expect(
            teardown.begin(grace: .seconds(60), now: now)
                == [.signal(SIGTERM), .look(after: Tuning.treeLook)])
        #expect(teardown.begin(grace: .zero, now: now).isEmpty)
        #expect(teardown.saw(living: 1, now: now).first == .signal(SIGKILL))
        // The leader is waited for, however empty the tree looks: its status is still to come.
        #expect(teardown.saw(living: 0, now: now) != [.finished(left: 0)])
    }

    @Test func withoutProcItEndsAndSaysSo() {
        var teardown = Teardown()
        _ = teardown.leaderExited(now: now)
        #expect(teardown.saw(living: nil, now: now) == [.finished(left: nil)])
    }
}
