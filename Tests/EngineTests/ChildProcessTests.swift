import CLinux
import Foundation
import Glibc
import KernelRelay
import Testing

/// Programs that are started, watched, killed, and never left behind.
@Suite struct ChildProcessTests {
    private func start(_ script: String, environment: [String: String] = [:], stdout: Int32 = 2) throws
        -> ChildProcess
    {
        let empty = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(empty) }
        return try ChildProcess(
            "/bin/sh", argv: ["sh", "-c", script], environment: environment, stdin: empty, stdout: stdout,
            stderr: empty)
    }

    @Test func theExitIsToldExactly() async throws {
        #expect(await (try start("exit 7")).exit() == .code(7))
        #expect(await (try start("kill -9 $$")).exit() == .signal(SIGKILL))
        let one = try start("exit 0")
        async let a = one.exit()
        async let b = one.exit()
        #expect(await [a, b] == [.code(0), .code(0)])
        #expect(await one.exit() == .code(0), "also when it is long over")
    }

    @Test func aSlowOneIsGivenUpAndKilled() async throws {
        let child = try start("sleep 100 & sleep 100")
        #expect(await child.exit(within: .milliseconds(50)) == nil)
        child.kill()
        #expect(await child.exit() == .signal(SIGKILL))
    }

    @Test func theForgottenOneIsKilledWithItsGroupAndReaped() async throws {
        let pid = try start("sleep 100 & sleep 100").pid
        #expect(await gone(pid))
    }

    @Test func itIsAloneInItsSessionWithFreshSignals() async throws {
        signal(SIGPIPE, SIG_IGN)
        let (read, write) = try Pipes.make()
        let child = try start(
            "cut -d' ' -f5,6 /proc/$$/stat; grep -E 'SigBlk|SigIgn' /proc/self/status; ls /proc/self/fd; env",
            environment: ["A": "b"], stdout: write)
        close(write)
        _ = await child.exit()
        let said = FileHandle(fileDescriptor: read, closeOnDealloc: true)
        let text = String(decoding: try said.readToEnd() ?? Data(), as: UTF8.self)
        #expect(text.hasPrefix("\(child.pid) \(child.pid)\n"))
        // The C library keeps signals 32 and 33 to itself.
        #expect(
            text.contains("SigBlk:\t0000000000000000\nSigIgn:\t0000000180000000\n")
                || text.contains("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"))
        // The fourth is the folder that ls reads.
        #expect(text.contains("\n0\n1\n2\n3\n") && !text.contains("\n4\n"))
        #expect(text.contains("\nA=b\n") && !text.contains("HOME="))
    }

    @Test func whatCannotRunIsAnError() throws {
        #expect {
            try ChildProcess("/nowhere", argv: ["x"], environment: [:], stdin: 0, stdout: 1, stderr: 2)
        } throws: { ($0 as? ChildProcess.Failure)?.number == ENOENT }
    }

    private func gone(_ pid: Int32) async -> Bool {
        for _ in 0..<1000 {
            if kill(pid, 0) != 0 { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}

private enum Pipes {
    static func make() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe2(&ends, O_CLOEXEC) == 0)
        return (ends[0], ends[1])
    }
}
