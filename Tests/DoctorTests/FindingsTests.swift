import Glibc
import Ground
import Host
import KernelRelay
import RelayLink
import Testing

/// What is made of what engines, containers and Pythons say.
@Suite struct FindingsTests {
    private static let subject = Chart.Subject(
        engine: Engine(EngineClient(command: ["sudo", "docker"], environment: [:])), environment: [:])

    private func read(_ name: String) throws -> (container: Container, facts: InspectFacts) {
        let bytes = try [UInt8](Repository.file("Tests/Fixtures/inspect/\(name).json"))
        return (try Container(inspect: bytes), try InspectFacts(inspect: bytes))
    }

    // MARK: - The container

    private static let states = [
        ("docker-bridge", "good", nil), ("docker-paused", "bad", "sudo docker unpause kr-eng-f1"),
        ("docker-exited", "bad", "sudo docker start kr-eng-f4"),
        ("docker-created", "bad", "sudo docker start kr-eng-f3"),
        ("podman-bridge", "good", nil),
    ]

    @Test(arguments: states.indices)
    func everyState(_ row: Int) throws {
        let (name, mark, remedy) = Self.states[row]
        let (container, facts) = try read(name)
        let finding = Check.judge(container, facts, takenPorts: [], Self.subject)
        #expect(finding.mark.rawValue == mark)
        if let remedy {
            let words = remedy.split(separator: " ").dropLast().joined(separator: " ")
            #expect(finding.remedy == "\(words) \(container.name)")
        }
    }

    @Test func whyItIsNotRunning() throws {
        let (container, facts) = try read("docker-exited")
        let finding = Check.judge(container, facts, takenPorts: [24400], Self.subject)
        #expect(finding.text.contains("exit code 3") && finding.text.contains("24400"))
        #expect(finding.code == "KR-CONTAINER-STOPPED")
    }

    @Test func factsOfAnInspect() throws {
        let (_, facts) = try read("docker-bridge")
        #expect(facts.hasInit && facts.memoryLimit == nil && !facts.ranOutOfMemory)
        #expect(facts.exposed == [10000, 10001] && facts.bindings == [24400, 24401], "UDP is of no use")
        #expect(facts.command == "sleep" && facts.imageID.hasPrefix("sha256:"))
        #expect(facts.mounts.contains { $0.destination == "/.kernelrelay/relay-shim" && !$0.isWritable })
        #expect(throws: RelayError.self) { try InspectFacts(inspect: Array("nonsense".utf8)) }
        #expect(throws: RelayError.self) { try InspectFacts(inspect: Array("[]".utf8)) }
        let odd = try InspectFacts(
            inspect: Array(#"[{"HostConfig": {"Memory": "x", "Init": 3, "PortBindings": [1]}}]"#.utf8))
        #expect(odd.memoryLimit == nil && !odd.hasInit && odd.bindings.isEmpty)
    }

    @Test func memoryAndInit() throws {
        #expect(Check.judge(memory: nil, name: "c", Self.subject).mark == .good)
        #expect(Check.judge(memory: 4 << 30, name: "c", Self.subject).text == "limit 4096 MiB")
        let little = Check.judge(memory: 64 << 20, name: "my box", Self.subject)
        #expect(little.mark == .warning)
        #expect(little.remedy == "sudo docker update --memory 1g --memory-swap 2g 'my box'")
        var facts = try read("docker-bridge").facts
        #expect(Check.judge(initOf: facts).mark == .good)
        facts.hasInit = false
        #expect(Check.judge(initOf: facts).mark == .warning)
        facts.command = "/usr/bin/tini"
        #expect(Check.judge(initOf: facts).mark == .good)
    }

    @Test func processors() {
        #expect(Check.judge(gate: "amd64", image: "amd64", server: "amd64").mark == .good)
        #expect(Check.judge(gate: "amd64", image: "arm64", server: "amd64").mark == .warning)
        #expect(Check.judge(gate: "amd64", image: "amd64", server: nil).mark == .good)
        let other = Check.judge(gate: "amd64", image: "arm64", server: "arm64")
        #expect(other.mark == .bad && other.code == "KR-GATE-ARCHITECTURE")
    }

    // MARK: - Ports and routes

    @Test func portsOnAllInterfaces() throws {
        let container = try read("docker-bridge").container
        let finding = Check.judge(portsOf: container)
        #expect(finding.mark == .warning && finding.text.contains("hb 0.0.0.0:24401"))
        #expect(finding.remedy?.contains("--publish 127.0.0.1:24401:10001") == true)
    }

    @Test func everyKindOfPublishing() throws {
        let all = Check.judge(portsOf: try read("podman-bridge").container)
        #expect(all.mark == .good && all.text.contains("shell 127.0.0.1:"))
        let host = try read("docker-host-network")
        #expect(Check.judge(portsOf: host.container).mark == .good)
        let none = try read("docker-two-networks")
        // As it is with most containers that were there before.
        let finding = Check.judge(portsOf: none.container)
        #expect(finding.mark == .good && finding.text.contains("none is published"))
        var one = none.container
        one.published = [10003: [.init(address: "127.0.0.1", port: 20000)]]
        #expect(
            Check.judge(portsOf: one).text == "shell 127.0.0.1:20000; the other 4 go by these")
    }

    @Test func listeners() {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:5F50 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1234 1 0
               1: 0100007F:5F50 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 1235 1 0
               2: 00000000000000000000000001000000:5F51 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 77 1
               3: broken
            """
        #expect(PortListeners.read(table: table) == [1234: 24400, 77: 24401])
        let proxy = PortListeners.Listener(port: 24400, pid: 5, program: "docker-proxy")
        let stranger = PortListeners.Listener(port: 24400, pid: 6, program: "python3")
        #expect(Check.judge(listeners: [proxy], on: [24400]).mark == .good)
        #expect(Check.judge(listeners: [.init(port: 24400)], on: [24400]).mark == .good)
        #expect(Check.judge(listeners: [], on: [24400]).mark == .good)
        let taken = Check.judge(listeners: [proxy, stranger], on: [24400])
        #expect(taken.mark == .warning && taken.text.contains("python3") && taken.remedy == "ps -fp 6")
    }

    @Test func routes() {
        let all = Check.judge(.init(seesInside: true, bridge: "172.17.0.2", publishes: true), pid: 1)
        #expect(all == .good("line, bridge (172.17.0.2), published, tunnel"))
        let one = Check.judge(.init(seesInside: false, bridge: nil, publishes: true), pid: 77)
        #expect(one.mark == .good && one.text.contains("/proc/77/root"))
        let none = Check.judge(.init(seesInside: false, bridge: nil, publishes: false), pid: 77)
        #expect(none.mark == .warning && none.text.hasPrefix("tunnel alone"))
    }

    // MARK: - Python

    private func survey(_ changes: String = "") -> PythonSurvey? {
        PythonSurvey(
            answer: """
                a line of the site's own
                {"executable": "/usr/bin/python3", "version": "3.11.2", "ipykernel": null, "location": null,
                """.replacing("\n                {", with: "\n{").replacing("null,\n", with: "null,")
                    + " \"pip\": true, \"managed\": false, \"writable\": true\(changes)}\n")
    }

    @Test func whatAPythonSays() {
        #expect(survey()?.version == "3.11.2" && survey()?.ipykernel == nil)
        for nonsense in ["", "{}", "3.11", #"{"executable": "python", "version": "3"}"#, "\u{1B}[2J"] {
            #expect(PythonSurvey(answer: nonsense) == nil)
        }
    }

    @Test func howIpykernelIsInstalled() throws {
        func remedy(_ pip: Bool, _ managed: Bool, _ writable: Bool, _ distribution: Distribution?) throws
            -> String?
        {
            let answer = """
                {"executable": "/usr/bin/python3", "version": "3.11.2", "pip": \(pip), "managed": \(managed), "writable": \(writable)}
                """
            let finding = Check.judge(
                try #require(PythonSurvey(answer: answer)), name: "dev", distribution, Self.subject)
            #expect(finding.mark == .bad)
            return finding.remedy
        }
        let exec = "sudo docker exec"
        #expect(
            try remedy(true, false, true, nil)
                == "\(exec) dev /usr/bin/python3 -m pip install --upgrade ipykernel")
        #expect(
            try remedy(true, false, false, .debian)
                == "\(exec) --user root dev /usr/bin/python3 -m pip install --upgrade ipykernel")
        #expect(try remedy(true, true, false, .alpine) == "\(exec) --user root dev apk add py3-ipykernel")
        #expect(
            try remedy(true, true, false, nil)
                == "\(exec) --user root dev /usr/bin/python3 -m pip install --break-system-packages --upgrade ipykernel"
        )
        #expect(
            try remedy(false, false, true, nil)
                == "\(exec) dev /usr/bin/python3 -m ensurepip && \(exec) dev /usr/bin/python3 -m pip install --upgrade ipykernel"
        )
    }

    @Test func oldReleases() throws {
        func mark(_ version: String) throws -> Check.Mark {
            let answer = #"{"executable": "/p", "version": "3.9.1", "ipykernel": "\#(version)", "pip": true}"#
            return Check.judge(try #require(PythonSurvey(answer: answer)), name: "c", nil, Self.subject).mark
        }
        #expect(try mark("7.4.0") == .good && mark("6.0") == .good)
        #expect(try mark("5.5.6") == .warning)
    }

    @Test func whichInterpreter() throws {
        #expect(try Check.interpreters(in: nil) == ["python3", "python"])
        #expect(
            try Check.interpreters(in: "/opt/v/bin/python -m ipykernel_launcher") == ["/opt/v/bin/python"])
        #expect(try Check.interpreters(in: #"["python3.12", "-m", "x"]"#) == ["python3.12"])
        #expect(try Check.interpreters(in: "R --slave").isEmpty)
        #expect(throws: HostError.self) { try Check.interpreters(in: "'open") }
    }

    @Test func distributions() {
        #expect(Distribution(release: "usr/lib/os-release\0\0\nNAME=\"x\"\nID=debian\n") == .debian)
        #expect(Distribution(release: "ID=\"alpine\"\n") == .alpine)
        #expect(Distribution(release: "VERSION_ID=3\n") == nil)
        #expect(Distribution(release: "ID=;reboot\n") == nil)
    }

    // MARK: - The host

    @Test func aRelaydOfAnotherRelease() {
        let same: JSON = ["release": .string(ControlProtocol.release), "pid": 7, "kernels": [.object([:])]]
        #expect(Check.judge(same) == .good("pid 7, release \(ControlProtocol.release), 1 kernel"))
        let other = Check.judge(["release": "9.9\u{1B}[2J", "pid": 7, "kernels": []])
        #expect(other.mark == .warning && !other.text.contains("\u{1B}"))
        #expect(other.remedy == "kill -TERM 7  # its kernels go on")
        // To `kill` 0 is its own session, and -1 everybody.
        for pid: JSON in [.null, 0, -1, 1] {
            let unknown = Check.judge(["release": "9.9", "pid": pid])
            #expect(unknown.mark == .warning && unknown.remedy == "relayd status")
        }
    }

    /// What the doctor itself has left behind is no reason to end anybody's kernel.
    @Test func leftovers() {
        let subject = Chart.Subject(
            engine: Engine(EngineClient(environment: [:])), environment: [:], container: "dev")
        let table: [(Check.Leftover, String)] = [
            (.file("/run/a b.json"), "rm '/run/a b.json'"), (.port(9001), "ss -ltnp 'sport = :9001'"),
            (.processes(2), "docker top dev"), (.kernel("5f0c"), "relayd logs 5f0c"),
        ]
        for (left, remedy) in table {
            let finding = Check.judge(left: [left], subject)
            #expect(finding?.mark == .bad && finding?.remedy == remedy)
        }
        let all = Check.judge(left: [.port(9001), .file("/x")], subject)
        #expect(all?.text == "left behind: port 9001, /x")
        #expect(Check.judge(left: [], subject) == nil)
    }

    @Test func endpoints() {
        let variable = EngineEndpoint.read(variable: "unix:///a", answer: "default\tunix:///b\n")
        #expect(
            variable == EngineEndpoint.read(variable: "unix:///a", answer: nil) && variable.socket == "/a")
        let context = EngineEndpoint.read(variable: "", answer: "far\tssh://host\n")
        #expect(context.source == .context("far") && context.socket == nil)
        #expect(EngineEndpoint.read(variable: nil, answer: nil).source == .itself)
        #expect(EngineEndpoint.read(variable: nil, answer: "nonsense").source == .itself)
    }

    @Test func staticPrograms() throws {
        func head(_ path: String) throws -> [UInt8] {
            let file = try #require(fopen(path, "re"))
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 65536)
            let count = fread(&bytes, 1, bytes.count, file)
            return Array(bytes[..<count])
        }
        #expect(ProgramHeader.interpreter(of: try head(Repository.shim)) == nil)
        let shell = try head("/bin/sh")
        #expect(ProgramHeader.interpreter(of: shell)?.contains("ld-linux") == true)
        // Cut off anywhere it is read without a fall.
        for length in stride(from: 0, to: 2000, by: 7) {
            _ = ProgramHeader.interpreter(of: Array(shell[..<length]))
        }
        var wild = shell
        for offset in [32, 36, 39, 54, 56, 57] { wild[offset] = 0xFF }
        _ = ProgramHeader.interpreter(of: wild)
    }

    @Test func phasesOfALaunch() {
        let own = TrialKernel.phases([], launch: .milliseconds(100), untilReply: .milliseconds(350))
        #expect(own.map(\.name) == ["launch", "first reply"] && own.map(\.milliseconds) == [100, 250])
        let told = [Check.Phase("gate", milliseconds: 60), Check.Phase("route", milliseconds: 400)]
        let all = TrialKernel.phases(told, launch: .milliseconds(100), untilReply: .milliseconds(350))
        #expect(all.map(\.name) == ["gate", "route", "first reply"] && all.last?.milliseconds == 0)
    }
}
