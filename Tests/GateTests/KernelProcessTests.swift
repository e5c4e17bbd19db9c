import FakeJupyter
import Foundation
import Gate
import Glibc
import RelayLink
import Testing

/// Kernels as processes: started, signalled, ended, and nothing left.
@Suite(.serialized) struct KernelProcessTests {
    private func gate(environment: [String: String]? = nil) throws -> GateProcess {
        let gate = try GateProcess(environment: environment)
        _ = try gate.hello()
        return gate
    }

    @Test func exitStatusIsExact() throws {
        let gate = try gate()
        try gate.script("code", "exit 3")
        #expect(try gate.exit(of: "code") == .init(cause: .code(3)))
        try gate.script("signal", "kill -9 $$")
        #expect(try gate.exit(of: "signal").cause == .signal(9, coreDumped: false))
        try gate.script("zero", "echo out; echo err >&2")
        let exit = try gate.exit(of: "zero")
        #expect(exit.cause == .code(0) && exit.left == 0 && !exit.oomKilled)
        #expect(Set(String(decoding: exit.tail, as: UTF8.self).split(separator: "\n")) == ["out", "err"])
        #expect(try gate.stop() == 0)
    }

    @Test func aKernelFindsItselfAsItShould() throws {
        var environment = ProcessInfo.processInfo.environment
        environment["JPY_PARENT_PID"] = "1"
        environment["KEPT"] = "yes"
        let gate = try gate(environment: environment)
        let text = """
            echo "pid $$ file $1"; ls -l /proc/$$/fd | sed 's/.* -> / -> /'; stat -c '%a' "$1" "$(dirname "$1")"
            cat "$1"; echo "cwd $(pwd) kept $KEPT added $ADDED gone ${GONE-unset} parent $JPY_PARENT_PID $PPID"
            cut -d' ' -f5,6 /proc/$$/stat; grep -E 'Sig(Blk|Ign)' /proc/self/status; ulimit -n; echo end
            """
        let launch = GateRequest.Launch(
            kernel: "k", argv: ["sh", "-c", text, "sh", "{connection_file}"],
            env: ["ADDED": "{x}", "GONE": nil], cwd: "/usr", key: "the-key", kernelName: "python3")
        let (pid, file) = try gate.spawn(launch)
        let output = try gate.output(of: "k", until: "end\n")
        #expect(output.contains("pid \(pid) file \(file)"))
        #expect(output.contains(" -> /dev/null"))
        #expect(!output.contains("socket:"), "no descriptor of the gate's")
        #expect(output.contains("600\n700\n"))
        #expect(output.contains("\"key\":\"the-key\"") && output.contains("\"transport\":\"ipc\""))
        #expect(output.contains("cwd /usr kept yes added {x} gone unset parent \(gate.pid) \(gate.pid)"))
        #expect(output.contains("\n\(pid) \(pid)\n"), "its own group and session")
        #expect(output.contains("SigBlk:\t0000000000000000"))
        // Two signals of the C library's own, 32 and 33, are ignored in whatever posix_spawn starts.
        #expect(output.contains("SigIgn:\t0000000180000000") || output.contains("SigIgn:\t0000000000000000"))
        _ = try gate.exit(of: "k")
        #expect(access(file, F_OK) != 0, "the connection file goes with the kernel")
        #expect(try gate.stop() == 0)
    }

    @Test func whyAKernelCannotStartIsSaid() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kr-gate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ bytes: [UInt8], mode: Int = 0o755) throws -> String {
            let path = folder.appending(path: name).path
            try Data(bytes).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            return path
        }
        var foreign = [UInt8](try Data(contentsOf: URL(filePath: "/bin/true")).prefix(4096))
        foreign[18] = foreign[18] == 183 ? 62 : 183
        let commands: [(String, GateErrorCode)] = [
            ("no-such-command", .commandNotFound), ("/no/such/command", .commandNotFound),
            (try file("plain", Array("#!/bin/sh\n".utf8), mode: 0o644), .commandNotExecutable),
            ("/usr", .commandNotExecutable),
            (try file("orphan", Array("#!/no/such/interpreter\n".utf8)), .commandInterpreter),
            (try file("text", Array("echo hello\n".utf8)), .commandFormat),
            (try file("empty", []), .commandFormat),
            (try file("foreign", foreign), .commandArchitecture),
        ]
        let gate = try gate()
        let before = try descriptors(of: gate.pid)
        for (command, code) in commands {
            let launch = GateRequest.Launch(kernel: "k", argv: [command], key: "")
            let found = try gate.refusal(of: .spawn(request: gate.number(), launch))
            #expect(found == code.rawValue, "\(command)")
        }
        var launch = GateRequest.Launch(kernel: "k", argv: ["/bin/true"], cwd: "/no/such/folder", key: "")
        #expect(try gate.refusal(of: .spawn(request: gate.number(), launch)) == "KR-GATE-FOLDER")
        launch.cwd = "/etc/passwd"
        #expect(try gate.refusal(of: .spawn(request: gate.number(), launch)) == "KR-GATE-FOLDER")
        launch.cwd = nil
        launch.env = ["LONG": String(repeating: "x", count: 200_000)]
        #expect(try gate.refusal(of: .spawn(request: gate.number(), launch)) == "KR-GATE-COMMAND-TOO-LONG")
        #expect(try descriptors(of: gate.pid) == before)
        #expect(try gate.stop() == 0)
    }

    @Test func signalsReachTheGroupOrTheProcess() throws {
        let gate = try gate()
        let both = """
            trap 'echo parent' USR1; (trap 'echo child' USR1; echo ready; while :; do sleep 0.05; done) &
            while :; do wait; sleep 0.05; done
            """
        try gate.script("k", both)
        _ = try gate.output(of: "k", until: "ready")
        let first = gate.number()
        gate.send(.signal(request: first, kernel: "k", number: SIGUSR1, to: .process))
        try gate.done(first)
        #expect(try gate.output(of: "k", until: "parent\n") == "parent\n")
        gate.send(.signal(request: gate.number(), kernel: "k", number: SIGUSR1, to: .group))
        #expect(try gate.output(of: "k", until: "child\n").contains("child"))
        #expect(
            try gate.refusal(of: .signal(request: gate.number(), kernel: "x", number: 2, to: .group))
                == "KR-GATE-KERNEL-UNKNOWN")
        let exit = try gate.end("k", grace: 0)
        #expect(exit.left == 0)
        #expect(
            try gate.refusal(of: .signal(request: gate.number(), kernel: "k", number: 2, to: .group))
                == "KR-GATE-KERNEL-ENDED")
        #expect(try gate.stop() == 0)
    }

    /// Out of the group, out of the session, forked twice, environment cleared, deaf to SIGTERM.
    private let escapee = """
        (env -i setsid sh -c 'trap "" TERM; sleep 1000 & echo $! ; echo $$; while :; do sleep 1; done' &)
        setsid sleep 1001 & echo $!
        echo ready

        """

    private func pids(in output: String) -> [Int32] { output.split(separator: "\n").compactMap { Int32($0) } }

    @Test(arguments: [false, true])
    func nothingEscapes(kernelEndsByItself: Bool) throws {
        let gate = try gate()
        let go = "/tmp/kr-\(gate.name)"
        defer { unlink(go) }
        let wait = "until [ -e \(go) ]; do sleep 0.05; done"
        try gate.script("k", escapee + wait)
        // Another kernel, whose processes are none of that.
        try gate.script("other", "env -i setsid sleep 1002 & echo $!; while :; do sleep 1; done")
        let others = pids(in: try gate.output(of: "other", until: "\n"))
        var text = ""
        while pids(in: text).count < 3 { text += try gate.output(of: "k", until: "\n") }
        let family = pids(in: text)
        #expect(family.filter { !isAlive($0) }.isEmpty, "\(text)")
        if kernelEndsByItself { close(open(go, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)) }
        let exit = kernelEndsByItself ? try gate.exit(of: "k") : try gate.end("k", grace: 100)
        #expect(exit.left == 0)
        #expect(!family.contains { isAlive($0) })
        #expect(others.allSatisfy { isAlive($0) })
        #expect(try gate.end("other").left == 0)
        #expect(!others.contains { isAlive($0) })
        #expect(try gate.stop() == 0)
    }

    @Test func aKernelThatWillNotGoIsMadeTo() throws {
        let gate = try gate()
        try gate.script("k", "trap '' TERM INT HUP; echo ready; while :; do sleep 1; done")
        _ = try gate.output(of: "k", until: "ready")
        let started = Deadline.now()
        #expect(try gate.end("k", grace: 300).cause == .signal(9, coreDumped: false))
        let took = (Deadline.now() - started) / 1_000_000
        #expect((290...3000).contains(took))
        try gate.script("polite", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done")
        _ = try gate.output(of: "polite", until: "ready")
        #expect(try gate.end("polite").cause == .code(7))
        #expect(try gate.stop() == 0)
    }

    @Test func theTailIsTheEndOfAllThatWasSaid() throws {
        let gate = try gate()
        try gate.script("k", "i=0; while [ $i -lt 40000 ]; do echo line $i; i=$((i+1)); done; echo last >&2")
        var streamed = 0
        let exit = try gate.take { report -> GateReport.Exit? in
            switch report {
            case .exited("k", let exit): return exit
            default: return nil
            }
        }
        while let data = try? gate.take(
            within: 0, { if case .output("k", _, let data) = $0 { data } else { nil } })
        {
            streamed += data.count
        }
        #expect(exit.tail.count == 64 * 1024)
        #expect(String(decoding: exit.tail, as: UTF8.self).contains("line 39999\n"))
        let all = (0..<40000).reduce(5) { $0 + "line \($1)\n".utf8.count }
        #expect(streamed == all, "nothing is dropped while somebody listens")
        #expect(try gate.stop() == 0)
    }

    @Test func twoHundredKernelsLeaveNothing() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "kr-gate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: place) }
        let gate = try gate(environment: ["PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": place.path])
        let before = try descriptors(of: gate.pid)
        for index in 0..<200 { try gate.script("k\(index)", "sleep 0.0\(index % 10) & exit \(index % 7)") }
        for index in 0..<200 {
            let exit = try gate.exit(of: "k\(index)")
            #expect(exit.cause == .code(Int32(index % 7)) && exit.left == 0)
        }
        #expect(try descriptors(of: gate.pid) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path).isEmpty)
        let children = try String(
            contentsOfFile: "/proc/\(gate.pid)/task/\(gate.pid)/children", encoding: .utf8)
        #expect(children.isEmpty, "no zombies: \(children)")
        #expect(try gate.stateOfKernels().kernels.count == Tuning.mostEnded)
        #expect(try gate.stop() == 0)
    }

    @Test func stoppingEndsEveryKernel() throws {
        let gate = try gate()
        let pids = try (0..<5).map { try gate.script("k\($0)", "trap '' TERM; sleep 1000").pid }
        kill(gate.pid, SIGTERM)
        #expect(try gate.wait() == 0)
        #expect(!pids.contains { isAlive($0) })
    }

    private func descriptors(of pid: Int32) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
    }
}
