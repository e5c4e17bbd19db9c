import Glibc
import RelayLink
import Testing

@testable import KernelRelay

/// One text for each cause, each with what mends it.
@Suite struct ExplanationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var cause: Explanation.Cause
        var facts: LaunchFacts
        var code: String
        var commands: [String]
        /// What the text, the details or the advice must say.
        var says: [String]
        var testDescription: String { name }
    }

    private static func facts(_ change: (inout LaunchFacts) -> Void = { _ in }) -> LaunchFacts {
        var facts = LaunchFacts(container: "dev")
        change(&facts)
        return facts
    }

    private static func refused(
        _ name: String, _ code: ErrorCode, about context: String = "dev", cause: String? = nil,
        _ commands: [String], says: [String] = [], _ change: (inout LaunchFacts) -> Void = { _ in }
    ) -> Case {
        Case(
            name: name, cause: .refused(Refusal(RelayError(code, context, cause: cause))),
            facts: facts(change),
            code: code.rawValue, commands: commands, says: says + [code.entry.summary])
    }

    private static func ended(
        _ name: String, _ cause: GateReport.Exit.Cause, oom: Bool = false, tail: String = "", _ code: String,
        _ commands: [String] = [], says: [String], _ change: (inout LaunchFacts) -> Void = { _ in }
    ) -> Case {
        Case(
            name: name, cause: .ended(.init(cause: cause, oomKilled: oom, tail: Array(tail.utf8))),
            facts: facts(change), code: code, commands: commands, says: says)
    }

    private static func gone(_ finding: ErrorCode) -> Refusal {
        var refusal = Refusal(.containerGone, "dev")
        refusal.finding = finding.rawValue
        return refusal
    }

    private static let cases: [Case] = [
        refused("the engine does not run", .engineUnreachable, ["sudo systemctl start docker"]),
        refused("an engine of one's own", .engineUnreachable, ["docker version"]) { $0.namesEngine = true },
        refused("another engine", .engineUnreachable, ["podman version"]) { $0.client = ["podman"] },
        refused(
            "permission denied", .engineDenied, about: "/var/run/docker.sock",
            ["sudo usermod -aG docker \"$USER\""],
            says: ["log in again"]),
        refused("no such container", .containerMissing, ["docker ps -a"]),
        refused("no such service", .containerMissing, ["docker compose up -d work"]) {
            $0.wanted = "compose:p/work"
        },
        refused(
            "a service with another name", .containerMissing, ["relayd add --container compose:p/work"],
            says: ["near to that name: compose:p/work"]
        ) {
            ($0.wanted, $0.names) = ("compose:p/wrok", ["compose:p/work", "compose:q/db"])
        },
        Case(
            name: "made anew", cause: .refused(gone(.containerMissing)),
            facts: facts {
                $0.successor = .init(
                    name: "work_1", id: "bbbbbbbbbbbbbbbb", formerID: "aaaaaaaaaaaaaaaa", isUp: true)
            }, code: "KR-CONTAINER-RECREATED", commands: [],
            says: ["work_1 is bbbbbbbbbbbb now, and the kernel was in aaaaaaaaaaaa", "Run the cell again"]),
        Case(
            name: "made anew and not started", cause: .refused(gone(.containerMissing)),
            facts: facts { $0.successor = .init(name: "work_1", id: "b", formerID: "a", isUp: false) },
            code: "KR-CONTAINER-RECREATED", commands: ["docker start work_1"], says: ["Start it"]),
        refused(
            "a slip in its name", .containerMissing, ["relayd add --container dev2"],
            says: ["near to that name: dev2, devel"]
        ) {
            $0.names = ["zoo", "dev2", "devel", "unrelated"]
            $0.container = "deve"
        },
        refused("stopped", .containerStopped, ["docker start dev"]),
        refused("paused", .containerPaused, ["docker unpause dev"]),
        refused("by another client", .containerPaused, ["sudo docker --context box unpause dev"]) {
            $0.client = ["sudo", "docker", "--context", "box"]
        },
        refused("a value in the client's words", .containerStopped, ["env DOCKER_HOST=... docker start dev"])
        {
            $0.client = ["env", "DOCKER_HOST=tcp://secret", "docker"]
        },
        refused("a value behind sudo", .containerStopped, ["sudo A=... docker -H ssh://...@h start dev"]) {
            $0.client = ["sudo", "A=secret", "docker", "-H", "ssh://u:secret@h"]
        },
        refused("a name to be quoted", .containerStopped, ["docker start 'a b'"]) { $0.container = "a b" },
        refused("no route", .routeNone, ["relayd up debian"]) { $0.image = "debian" },
        refused(
            "no route of the one that is allowed", .routeNone, ["relayd up IMAGE"],
            says: ["Leave out --route published"]
        ) { $0.route = "published" },
        refused(
            "a port is taken", .portInUse, about: "tcp://127.0.0.1:9003", cause: "Address already in use",
            ["ss -ltnp 'sport = :9003'"]),
        refused("an ipc path is taken", .portInUse, about: "ipc:///run/k-1", []),
        refused(
            "the time is over", .launchTimeout, about: "3 s",
            ["docker top dev"],
            says: ["spawn: done in 4 ms", "last words", "--launch-timeout 180"]
        ) {
            $0.reached = ["spawn: done in 4 ms"]
            $0.tail = Array("last words\n".utf8)
        },
        refused("no such user", .gateUser, about: "ada", ["docker exec dev cat /etc/passwd"]) {
            $0.user = "ada"
        },
        refused(
            "the gate is lost", .gateLost, ["docker logs --tail 20 dev"], says: ["The variables are gone"]
        ) { $0.hasRun = true },
        refused(
            "a kernel that may live", .containerPaused, ["docker unpause dev"], says: ["looks for it again"]
        ) {
            $0.hasRun = true
            $0.mayLive = true
        },
        refused("the engine hangs", .engineTimeout, ["docker version"]),
        refused("the engine refuses", .engineFailed, ["docker version"]),
        refused("the gate is silent", .gateSilent, ["docker stats --no-stream dev"]),
        refused("any other", .system, [], says: [ErrorCode.system.entry.remedy]),
        Case(
            name: "stopped under the kernel", cause: .refused(gone(.containerStopped)),
            facts: facts { $0.hasRun = true }, code: "KR-CONTAINER-GONE", commands: ["docker start dev"],
            says: ["starts a new kernel"]),
        Case(
            name: "removed under the kernel", cause: .refused(gone(.containerMissing)),
            facts: facts { $0.hasRun = true }, code: "KR-CONTAINER-GONE", commands: ["docker ps -a"],
            says: ["removed"]),
        Case(
            name: "no Python", cause: .refused(Refusal(GateError(.commandNotFound, "python"))),
            facts: facts { $0.image = "busybox" }, code: "KR-PYTHON-MISSING",
            commands: ["docker exec -u 0 dev sh -c 'apt-get update && apt-get install -y python3-ipykernel'"],
            says: ["busybox", "--cmd '/PATH/TO/python -m ipykernel_launcher -f {connection_file}'"]),
        Case(
            name: "no such command", cause: .refused(Refusal(GateError(.commandNotFound, "R"))),
            facts: facts {
                $0.program = "/opt/R"
                $0.user = "1000"
            }, code: "KR-GATE-COMMAND-NOT-FOUND",
            commands: ["docker exec -u 1000 dev find / -name R -type f"], says: []),

        ended(
            "no ipykernel", .code(1), tail: "/opt/venv/bin/python3: No module named ipykernel_launcher\n",
            "KR-IPYKERNEL-MISSING", ["docker exec dev /opt/venv/bin/python3 -m pip install ipykernel"],
            says: ["/opt/venv/bin/python3"]),
        ended(
            "no ipykernel in the system's python", .code(1),
            tail: "/usr/bin/python3: No module named ipykernel_launcher\n", "KR-IPYKERNEL-MISSING",
            [
                "docker exec -u ada dev /usr/bin/python3 -m pip install ipykernel",
                "docker exec -u 0 dev sh -c 'apt-get update && apt-get install -y python3-ipykernel'",
            ], says: []
        ) { $0.user = "ada" },
        ended(
            "died at start", .code(1), tail: "one\ntwo\n", "KR-KERNEL-START",
            ["docker exec dev python3 -c 'import ipykernel'"], says: ["exit code 1", "one", "two"]),
        ended(
            "of a command of one's own", .signal(SIGSEGV, coreDumped: true), "KR-KERNEL-START",
            says: ["signal 11 (SIGSEGV), core dumped"]
        ) { $0.program = "R" },
        ended(
            "out of memory", .signal(SIGKILL, coreDumped: false), oom: true, "KR-KERNEL-OUT-OF-MEMORY",
            ["docker update --memory 512m --memory-swap 512m dev"],
            says: ["256m", "The variables are gone"]
        ) {
            $0.memoryLimit = 256 << 20
            $0.swapLimit = 256 << 20
            $0.hasRun = true
        },
        ended(
            "out of memory, swap without limit", .signal(SIGKILL, coreDumped: false), oom: true,
            "KR-KERNEL-OUT-OF-MEMORY", ["docker update --memory 2048m dev"], says: ["1024m"]
        ) {
            $0.memoryLimit = 1 << 30
            $0.swapLimit = -1
        },
        ended(
            "out of memory, limits that no engine has", .signal(SIGKILL, coreDumped: false), oom: true,
            "KR-KERNEL-OUT-OF-MEMORY",
            ["docker update --memory 4398046511103m --memory-swap 4398046511103m dev"], says: []
        ) {
            $0.memoryLimit = .max
            $0.swapLimit = .max
        },
        ended(
            "out of memory, no limit known", .signal(SIGKILL, coreDumped: false), oom: true,
            "KR-KERNEL-OUT-OF-MEMORY", says: ["Use less memory"]),
        ended(
            "killed", .signal(SIGKILL, coreDumped: false), "KR-KERNEL-KILLED",
            says: ["signal 9 (SIGKILL)", "starts a new kernel"]
        ) { $0.hasRun = true },
        ended("ended by itself", .code(3), tail: "Bye", "KR-KERNEL-FAILED", says: ["exit code 3", "Bye"]) {
            $0.hasRun = true
        },
        ended("without a word", .code(3), "KR-KERNEL-FAILED", says: ["It wrote nothing"]) {
            $0.hasRun = true
        },
    ]

    @Test(arguments: cases)
    func says(_ each: Case) {
        let explanation = Explanation(each.cause, each.facts)
        #expect(explanation.code == each.code)
        #expect(explanation.commands == each.commands)
        let all = explanation.traceback.joined(separator: "\n")
        for text in each.says { #expect(all.contains(text), "\(all) lacks \(text)") }
        for command in each.commands { #expect(explanation.remedy.contains(command)) }
        #expect(!explanation.text.contains("\n") && !explanation.remedy.contains("\n"))
        #expect(explanation.refusal.code == each.code && explanation.refusal.remedy == explanation.remedy)
        #expect(!all.contains("secret"))
    }

    /// Whatever a container's processes write, a terminal takes no orders from it, and no shell.
    @Test(arguments: [
        "/usr/bin/$(reboot): No module named ipykernel_launcher",
        "python3: No module named ipykernel_launcher",
        "/a b/python: No module named ipykernel", "/x;reboot: No module named ipykernel_launcher",
        "/\(String(repeating: "x", count: 300)): No module named ipykernel_launcher",
        "/usr/bin/python3: No module named ipykernel_launcher.x",
    ])
    func onlyAPlainInterpreterIsBelieved(line: String) {
        #expect(LastLines.interpreterWithoutIpykernel(Array(line.utf8)) == nil)
        let exit = GateReport.Exit(cause: .code(1), tail: Array(line.utf8))
        #expect(Explanation(.ended(exit), Self.facts()).code == "KR-KERNEL-START")
    }

    /// The launcher was found, and what it launches was not.
    @Test func ipykernelMayLackItsHeart() {
        let tail = "  File \"ipykernel_launcher.py\"\nModuleNotFoundError: No module named 'ipykernel'\n"
        let exit = GateReport.Exit(cause: .code(1), tail: Array(tail.utf8))
        let said = Explanation(.ended(exit), Self.facts())
        #expect(said.code == "KR-IPYKERNEL-MISSING")
        #expect(said.commands.first?.hasSuffix("python3 -m pip install ipykernel") == true)
    }

    @Test func lastLinesAreFitForATerminal() {
        let bytes = Array("a\r\nb\u{1B}[1;31mred\u{1B}[0m\u{07}\n\u{202E}c\n".utf8) + [0xFF, 0x0A]
        #expect(LastLines.of(bytes) == ["a", "bred?", "?c", "\u{FFFD}"])
        #expect(
            LastLines.of(Array((0..<20).map { "\($0)\n" }.joined().utf8), atMost: 3) == ["17", "18", "19"])
        #expect(LastLines.of(Array("\u{1B}[".utf8)) == [])
    }

    @Test func nearestNames() {
        #expect(NearestNames.of("jupyter-dev", among: ["jupyter_dev", "db"]) == ["jupyter_dev"])
        #expect(NearestNames.of("dev", among: ["prod", "DEV", "dev-1"]) == ["DEV", "dev-1"])
        #expect(NearestNames.of("api", among: ["shop-api", "apo", "zzz"]) == ["apo", "shop-api"])
        // Letters that have changed places are one slip.
        #expect(NearestNames.of("user-onw", among: ["user-nr", "user-own"]).first == "user-own")
        #expect(NearestNames.of("a", among: ["zebra", "b"]) == ["b"])
        #expect(NearestNames.of("", among: ["x"]) == ["x"])
        #expect(NearestNames.of("dev", among: []) == [])
    }
}
