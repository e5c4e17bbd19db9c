import Foundation
import Glibc
import Ground
import Host
import KernelRelay
import RelayLink
import Testing

/// Clients that fail in every way, and what is made of it. A shell script stands for the client.
@Suite struct FakeClientTests {
    private let folder: Scratch
    init() throws { folder = try Scratch() }

    /// - Parameter cases: of a shell's `case "$*"`.
    private func engine(
        _ cases: String, _ environment: [String: String] = [:], patience: Engine.Patience = .init()
    ) throws -> Engine {
        let script = try folder.write("client", "case \"$*\" in\n\(cases)\nesac\n")
        var whole = ["PATH": "/usr/bin:/bin", "KERNELRELAY_SHIM": Repository.shim]
        whole.merge(environment) { $1 }
        // By its interpreter: a file that was just written may still be open in another test's child.
        return Engine(EngineClient(command: ["sh", script], environment: whole), patience: patience)
    }

    private func code(_ work: () async throws -> Void) async -> RelayError? {
        do {
            try await work()
            return nil
        } catch {
            return error as? RelayError
        }
    }

    private static let lives = "version*) echo '{}';;"

    @Test func aClientThatIsNotThere() async throws {
        let environment = ["PATH": folder.path]
        for name in ["docker", "/nowhere/docker", folder.path, ""] {
            let engine = Engine(EngineClient(command: [name], environment: environment))
            #expect(await code { _ = try await engine.container("c") }?.code == .engineMissing)
        }
        let text = try folder.write("not-a-program", "no first line", mode: 0o755)
        let engine = Engine(EngineClient(command: [text], environment: environment))
        var found: ErrorCode?
        // Busy as long as a child of another test, between its fork and its exec, has the file open for writing.
        repeat {
            found = await code { _ = try await engine.container("c") }?.code
        } while found == .system
        #expect(found == .engineMissing)
    }

    @Test func theClientIsFoundByItsOwnPath() async throws {
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/client", withDestinationPath: "/bin/sh")
        let script = try folder.write("script", "echo '[{\"Id\":\"a\"}]'")
        let engine = Engine(
            EngineClient(command: ["client", script], environment: ["PATH": "/nowhere:\(folder.path)"]))
        #expect(try await engine.container("c").id == "a")
    }

    @Test func aMissingContainerAndABrokenAnswer() async throws {
        let missing = try engine("\(Self.lives) inspect*) echo '[]'; echo 'no \u{1B}[31msuch' >&2; exit 1;;")
        let error = await code { _ = try await missing.container("c") }
        #expect(error?.code == .containerMissing && error?.cause == "no ?[31msuch")
        let broken = try engine("\(Self.lives) inspect*) echo nonsense;;")
        #expect(await code { _ = try await broken.container("c") }?.code == .engineFailed)
        let refused = try engine("\(Self.lives) inspect*) exit 125;;")
        #expect(await code { _ = try await refused.container("c") }?.code == .engineFailed)
        let killed = try engine("\(Self.lives) inspect*) kill -9 $$;;")
        #expect(await code { _ = try await killed.container("c") }?.cause == "killed by signal 9")
    }

    @Test func anEngineThatIsNotReached() async throws {
        let fails = "version*) echo null; exit 1;; inspect*) echo '[]'; exit 1;;"
        let absent = try engine(fails, ["DOCKER_HOST": "unix:///nowhere/docker.sock"])
        let error = await code { _ = try await absent.container("c") }
        #expect(error?.code == .engineUnreachable && error?.context == "/nowhere/docker.sock")
        let context = try engine("context*) echo unix:///nowhere/other.sock;; " + fails)
        #expect(await code { _ = try await context.container("c") }?.context == "/nowhere/other.sock")
        let remote = try engine(fails, ["DOCKER_HOST": "tcp://127.0.0.1:1"])
        #expect(await code { _ = try await remote.container("c") }?.code == .engineUnreachable)
    }

    @Test(.enabled(if: geteuid() != 0, "root is denied nothing"))
    func anEngineThatTurnsTheUserAway() async throws {
        let socket = try folder.write("docker.sock", "", mode: 0)
        let denied = try engine("*) exit 1;;", ["DOCKER_HOST": "unix://\(socket)"])
        #expect(await code { _ = try await denied.container("c") }?.code == .engineDenied)
    }

    @Test func aClientThatHangsIsKilledWithAllThatItStarted() async throws {
        let log = "\(folder.path)/pids"
        let hangs = try engine(
            "*) sleep 1000 & echo $$ $! > \(log); wait;;", patience: .init(answer: .seconds(5)))
        #expect(await code { _ = try await hangs.container("c") }?.code == .engineTimeout)
        let said = String(decoding: try Data(contentsOf: URL(filePath: log)), as: UTF8.self)
        let pids = said.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        #expect(pids.count == 2)
        // The second is nobody's child now; init or a subreaper collects it.
        for _ in 0..<1000 where kill(pids[0], 0) == 0 || isRunning(pids[1]) {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(kill(pids[0], 0) != 0 && !isRunning(pids[1]))
    }

    /// Each command is in time by itself; for all of them together there is no more than for one.
    @Test func oneQuestionHasOneDeadline() async throws {
        let slow = try engine("*) sleep 0.5; exit 1;;", patience: .init(answer: .seconds(10)))
        #expect(await code { _ = try await slow.container("c") }?.code == .engineUnreachable)
        // The second takes so long that no load makes its end come before the limit is noticed.
        let slower = try engine(
            "inspect*) sleep 0.5; exit 1;;\n*) sleep 8; exit 1;;", patience: .init(answer: .seconds(10)))
        let limited = slower.within(.milliseconds(800))
        #expect(await code { _ = try await limited.container("c") }?.code == .engineTimeout)
    }

    private func isRunning(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
            return false
        }
        return !(text.components(separatedBy: ") ").last ?? "Z").hasPrefix("Z")
    }

    @Test func aGateThatSaysNothing() async throws {
        let silent = try engine(
            "exec*) exec sleep 1000;; inspect*) echo '[{\"Id\":\"a\",\"State\":{\"Status\":\"running\"}}]';;",
            patience: .init(gate: .milliseconds(500)))
        let container = try await silent.container("a")
        let error = await code {
            _ = try await silent.openGate(
                in: container, user: nil, name: "gate", joins: false, hello: .init(token: "x"))
        }
        #expect(error?.code == .gateSilent)
    }

    /// What answers is no gate, and does not end by itself.
    @Test func aGateThatIsNone() async throws {
        let chatty = try engine(
            "exec*) echo 'Last login: yesterday'; exec sleep 1000;; cp*) cat > /dev/null;; image*) exit 1;; "
                + "inspect*) echo '[{\"Id\":\"a\",\"State\":{\"Status\":\"running\"}}]';;",
            patience: .init(copy: .zero))
        let container = try await chatty.container("a")
        let error = await code {
            _ = try await chatty.openGate(
                in: container, user: nil, name: "gate", joins: false, hello: .init(token: "x"))
        }
        #expect(error?.code == .gateExec)
    }

    @Test func tooMuchIsNotRead() async throws {
        let endless = try engine("\(Self.lives) inspect*) exec yes;;")
        let error = await code { _ = try await endless.container("c") }
        // Cut off by its size: by the time it would be another code.
        #expect(error?.code == .engineFailed)
        let loud = try engine(
            "\(Self.lives) inspect*) head -c 20000000 /dev/zero >&2; echo end >&2; exit 3;;")
        let cause = await code { _ = try await loud.container("c") }?.cause ?? ""
        #expect(cause.utf8.count < 3000)
    }

    @Test func aNameIsNeverAnOption() async throws {
        let engine = try engine("*) echo '[{\"Id\":\"a\"}]';;")
        for name in ["", "-a", "--help", "a\u{0}b"] {
            #expect(await code { _ = try await engine.container(name) }?.code == .containerMissing)
        }
        let container = try await engine.container("c")
        for user in ["", "-u", "--privileged"] {
            let error = await code {
                _ = try await engine.openGate(
                    in: container, user: user, name: "gate", joins: false, hello: .init(token: "x"))
            }
            #expect(error?.code == .gateUser)
        }
    }

    @Test func statesAreRefusedByTheirNames() async throws {
        let states: [(String, ErrorCode)] = [
            ("paused", .containerPaused), ("exited", .containerStopped), ("created", .containerStopped),
            ("restarting", .containerStopped), ("brand-new", .containerStopped),
        ]
        for (state, code) in states {
            let engine = try engine("inspect*) echo '[{\"Id\":\"a\",\"State\":{\"Status\":\"\(state)\"}}]';;")
            #expect(await self.code { _ = try await engine.runningContainer("c") }?.code == code)
        }
    }

    @Test func aContainerInAnothersNetworkIsReachedByTheOther() async throws {
        let engine = try engine(
            """
            *" abc") echo '[{"Id":"abc","HostConfig":{"NetworkMode":"container:def"}}]';;
            *" def") echo '[{"Id":"def","NetworkSettings":{"IPAddress":"10.0.0.2","Ports":{"10000/tcp":[{"HostIp":"0.0.0.0","HostPort":"7"}]}}}]';;
            """)
        let container = try await engine.container("abc")
        #expect(container.id == "abc" && container.addresses == ["10.0.0.2"])
        #expect(container.published[10000]?.first?.port == 7)
    }

    @Test func aRemoteEnginesPortsAreOnItsHost() async throws {
        let answer =
            #"*) echo '[{"Id":"a","NetworkSettings":{"Ports":{"1/tcp":[{"HostIp":"0.0.0.0","HostPort":"7"}]}}}]';;"#
        for (host, address) in [
            ("ssh://me@far:22", "far"), ("tcp://10.1.1.1:2375", "10.1.1.1"),
            ("tcp://[fe80::1]:2375", "fe80::1"),
            ("unix:///run/docker.sock", "127.0.0.1"), ("tcp://localhost:2375", "127.0.0.1"),
            ("junk", "127.0.0.1"),
        ] {
            let engine = try engine(answer, ["DOCKER_HOST": host])
            #expect(try await engine.container("a").published[1]?.first?.address == address)
        }
    }

    @Test func aShimThatIsNotThere() async throws {
        let container = try Container(inspect: Array(#"[{"Id":"a"}]"#.utf8))
        for shim in ["/nowhere", folder.path, try folder.write("text", "not ELF, but twenty bytes and more")]
        {
            let engine = try engine("*) exit 0;;", ["KERNELRELAY_SHIM": shim])
            let error = await code {
                _ = try await engine.openGate(
                    in: container, user: nil, name: "gate", joins: false, hello: .init(token: "x"))
            }
            #expect(error?.code == .gateBinary)
        }
    }

    /// The gate is an exec of the client's: its words, and no secret among them.
    @Test func theTokenIsNeverAWord() async throws {
        let token = "a-token-that-nobody-may-see-0123456789"
        let log = "\(folder.path)/log"
        let engine = try engine(
            "exec*) echo \"$*\" >> \(log); env >> \(log); exit 126;; inspect*) echo '[]'; exit 1;; \(Self.lives)"
        )
        let container = try Container(inspect: Array(#"[{"Id":"a"}]"#.utf8))
        let error = await code {
            _ = try await engine.openGate(
                in: container, user: "1000", name: "g1", joins: true, hello: .init(token: token))
        }
        #expect(error?.code == .containerMissing, "it went away in between")
        let said = String(decoding: try Data(contentsOf: URL(filePath: log)), as: UTF8.self)
        #expect(
            said.contains("exec -i --user 1000 a /.kernelrelay-") && said.contains(" gate --join --name g1\n")
        )
        #expect(!said.contains(token) && !"\(error!)".contains(token))
    }
}
