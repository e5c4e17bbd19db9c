import FakeJupyter
import Foundation
import Gate
import Glibc
import RelayLink
import Testing

/// The container's own process, beside real gates.
@Suite(.serialized, .enabled(if: HoldProcess.isPossible)) struct HoldTests {
    private func gate(beside hold: HoldProcess, orphanSeconds: Int64 = 60) throws -> GateProcess {
        try #require(hold.listens())
        let gate = try GateProcess(through: hold.beside)
        try hello(gate, orphanSeconds)
        return gate
    }

    private func hello(_ gate: GateProcess, _ orphanSeconds: Int64 = 60) throws {
        gate.send(.hello(.init(token: GateProcess.token, orphanSeconds: orphanSeconds)))
        _ = try gate.take { if case .welcome = $0 { true } else { nil } }
    }

    /// The next that is said of the container's end: what ends it, and in how many milliseconds.
    private func ending(_ gate: GateProcess) throws -> (limit: LifetimeLimit, left: Int64) {
        try gate.take { if case .ending(let limit, let left) = $0 { (limit, left) } else { nil } }
    }

    private func ping(_ gate: GateProcess) throws {
        let ping = gate.number()
        gate.send(.ping(request: ping))
        _ = try gate.take { if case .pong(ping) = $0 { true } else { nil } }
    }

    private static let endless = "while :; do sleep 0.1; done"

    // MARK: - Until nobody needs it

    @Test func aContainerThatNobodyNeedsEnds() throws {
        #expect(try HoldProcess(["--until-unused", "1"]).exitCode() == 0)
    }

    @Test func aGateWithALinkKeepsIt() throws {
        let hold = try HoldProcess(["--until-unused", "4"])
        let gate = try gate(beside: hold)
        try gate.script("k", Self.endless)
        usleep(5_000_000)
        #expect(hold.isRunning)
        gate.hangUp()
        #expect(hold.exitCode() == 0)
    }

    /// As by a relay that goes on speaking to the kernel's own sockets while the engine is down.
    @Test func soDoesWhoeverIsConnectedToItsKernel() throws {
        let hold = try HoldProcess(["--until-unused", "4"])
        let gate = try gate(beside: hold, orphanSeconds: 4)
        let (kernel, file) = try gate.script("k", Self.endless)
        // Not for the programs that other tests start: the lock would be theirs, too.
        let path = URL(filePath: file).deletingLastPathComponent().path
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        #expect(flock(folder, LOCK_SH) == 0)
        gate.hangUp()
        usleep(6_000_000)
        #expect(isAlive(kernel) && hold.isRunning)
        close(folder)
        #expect(try gate.wait() == 0)
        #expect(!isAlive(kernel))
        #expect(hold.exitCode() == 0)
    }

    // MARK: - Times

    @Test func anEndIsToldAndComes() throws {
        let hold = try HoldProcess(["--idle", "5"])
        let gate = try gate(beside: hold)
        try gate.script("k", "trap 'exit 3' TERM; \(Self.endless)")
        let told = try ending(gate)
        #expect(told.limit == .idle && (1...2500).contains(told.left))
        #expect(try ending(gate) == (.idle, 0))
        #expect(try gate.exit(of: "k").cause == .code(3))
        #expect(try gate.wait() == 0)
        #expect(hold.exitCode() == 0)
    }

    @Test func usePutsItOffAndItIsToldAgain() throws {
        let hold = try HoldProcess(["--idle", "4"])
        let gate = try gate(beside: hold)
        try gate.script("k", Self.endless)
        #expect(try ending(gate).left > 0)
        gate.send(.vitals(request: gate.number(), idleMilliseconds: 0))
        let told = try ending(gate)
        #expect(told.limit == .idle && told.left > 0)
        #expect(try gate.stop() == 0)
        hold.end()
    }

    /// Nobody says whether a cell runs, while the engine is down.
    @Test func withoutALinkAKernelIsTakenForUsed() throws {
        let hold = try HoldProcess(["--idle", "4"])
        let gate = try gate(beside: hold)
        let kernel = try gate.script("k", Self.endless).pid
        gate.hangUp()
        usleep(6_000_000)
        #expect(hold.isRunning && isAlive(kernel))
        hold.end()
    }

    @Test func whoComesLaterIsToldOfALifetime() throws {
        let hold = try HoldProcess(["--max", "8"])
        let gate = try gate(beside: hold)
        let told = try ending(gate)
        #expect(told.limit == .lifetime)
        gate.send(.vitals(request: gate.number(), idleMilliseconds: 0))
        try ping(gate)
        let second = try self.gate(beside: hold)
        let later = try ending(second)
        #expect(later.limit == .lifetime && (1..<told.left).contains(later.left))
        for each in [gate, second] { #expect(try each.stop() == 0) }
        hold.end()
    }

    // MARK: - Who may say so

    /// Binds the name, and tells whoever comes to end now, once it is needed.
    private static let claim = """
        use Socket;
        my ($pid, $mnt) = map { (stat("/proc/self/ns/$_"))[1] } qw(pid mnt);
        socket(my $door, AF_UNIX, SOCK_SEQPACKET, 0) or die;
        bind($door, pack('S', AF_UNIX) . "\\0kernelrelay-keeper-$pid-$mnt") or die;
        listen($door, 4) or die;
        accept(my $gate, $door) or die;
        sysread($gate, my $need, 16) == 1 or die;
        syswrite($gate, "\\2" . "\\0" x 8) or die;
        syswrite(STDOUT, "said\\n");
        sleep(60);
        """

    @Test(.enabled(if: getuid() == 0), arguments: [0, 4711])
    func onlyTheContainersOwnIsListenedTo(user: Int) throws {
        let somebody = try HoldProcess(
            [], program: ["setpriv", "--reuid=\(user)", "--clear-groups", "perl", "-e", Self.claim])
        let gate = try gate(beside: somebody)
        #expect(somebody.said() == "said\n")
        if user == 0 {
            #expect(try ending(gate) == (.lifetime, 0))
            #expect(try gate.wait() == 0)
        } else {
            for _ in 0..<2 { try ping(gate) }
            #expect(!gate.hasHeard { if case .ending = $0 { true } else { false } })
            #expect(try gate.stop() == 0)
        }
        somebody.end()
    }

    // MARK: - As a container's only command

    @Test func withoutATimeItStays() throws {
        let hold = try HoldProcess([])
        usleep(300_000)
        #expect(hold.isRunning)
        kill(hold.pid, SIGTERM)
        #expect(hold.exitCode() == 0)
    }

    /// Without an init it is given the orphans of all.
    @Test(arguments: [[], ["--idle", "60"], ["--until-unused", "60"]])
    func itLeavesNoZombie(words: [String]) throws {
        let first = try HoldProcess(words, asFirst: true)
        func children(of pid: Int32) -> [Int32] {
            let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
            return (text ?? "").split(separator: " ").compactMap { Int32($0) }
        }
        #expect(waits { !children(of: first.pid).isEmpty })
        let hold = try #require(children(of: first.pid).first)
        let enter = Process()
        enter.executableURL = URL(filePath: "/usr/bin/nsenter")
        let user = getuid() == 0 ? [] : ["--user", "--preserve-credentials"]
        enter.arguments = ["--target", "\(hold)"] + user + ["--pid", "sh", "-c", "sleep 1 & exit 0"]
        try enter.run()
        #expect(waits { children(of: hold).count == 1 })
        enter.waitUntilExit()
        #expect(enter.terminationStatus == 0)
        #expect(waits { children(of: hold).isEmpty })
        first.end()
    }

    @Test(arguments: [
        ["x"], ["--until-unused"], ["--until-unused", "0"], ["--until-unused", "x"],
        ["--until-unused", "1", "2"], ["--idle", "1", "--max"],
    ])
    func wrongWords(words: [String]) throws {
        #expect(try HoldProcess(words).exitCode() == 64)
    }
}
