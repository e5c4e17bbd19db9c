import Foundation
import Ground
import Host
import KernelRelay
import RelayLink
import Testing

/// What must not be in anything that leaves this host.
@Suite struct RedactorTests {
    private static let key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

    /// Each text, and what of it must be gone.
    private static let texts: [(text: String, secret: String)] = [
        ("error during connect: Get https://ana:pa55w@host:2376/v1", "pa55w"),
        ("ssh://root:a@b/c@box", "a@b/c"),
        ("signed with \(key)", key),
        ("key a0b1c2d3-e4f5061728394a5b6c7d8e9f", "e4f5061728394a5b6c7d8e9f"),
        ("docker run --env HF=plain-value x", "plain-value"),
        ("docker run --env=HF=plain-value x", "plain-value"),
        ("docker run -e 'HF=plain value' x", "plain"), ("docker run -e 'HF=plain value' x", "value"),
        ("API_KEY=abc rest", "abc"),
        ("{\"password\": \"abc def\"}", "abc def"),
        ("MyToken: abc", "abc"),
        ("DB_PASS=hunter2 rest", "hunter2"), ("MYSQL_PWD=hunter2", "hunter2"), ("PGPASS: hunter2", "hunter2"),
        ("REDISCLI_AUTH=hunter2", "hunter2"), ("\"auth\": \"aHVudGVyMg==\"", "aHVudGVyMg"),
        ("NPM_CONFIG__AUTH=hunter2", "hunter2"), ("it ran with AUTHORIZATION=hunter2", "hunter2"),
        ("Authorization: Bearer xyz.abc", "xyz.abc"),
        ("it said planted-value twice", "planted-value"),
        ("--token abc rest", "abc"),
        ("docker --Identity-Key 'abc rest", "abc"),
        ("Authorization: xyz.abc", "xyz.abc"),
        ("basic xyz.abc", "xyz.abc"),
        ("it read /run/planted/file", "/run/planted/file"),
    ]

    @Test(arguments: texts.indices)
    func outOfTexts(_ row: Int) {
        let (text, secret) = Self.texts[row]
        let clean = Redactor(["planted-value", "/run/planted/file"]).clean(text)
        #expect(!clean.contains(secret), "\(clean)")
        #expect(clean.contains(Redactor.removed))
    }

    @Test func whatIsNoSecretStays() {
        let redactor = Redactor(
            ["", "short"],
            // What the image python:3.12 and Jupyter's stacks set.
            values: [
                "/usr/local/bin:/usr/bin", "C.UTF-8", "3.12.7", "jovyan", "en_US.UTF-8",
                "https://example.org/get-pip",
            ])
        for text in [
            "KR-CONTAINER-PAUSED: the container is paused: dev", "short", "/usr/local/bin:/usr/bin",
            "answers in 69 ms, mounted at /.kernelrelay/relay-shim",
            "published on 127.0.0.1:24400, from a copy at /.kernelrelay-f1148795b77f348e",
            "Python 3.12.7 and C.UTF-8 of jovyan", "see https://example.org/get-pip2",
            "docker restart a-key now", "a-key is paused",
            "docker exec my-monkey python3 -m pip install ipykernel",
            "PWD=/home/ana OLDPWD=/srv", "GIT_AUTHOR_NAME=Ana", "author: Ana",
            "unix:///var/run/docker.sock", "docker exec --user root dev python3 -m pip install ipykernel",
        ] {
            #expect(redactor.clean(text) == text)
        }
    }

    /// One that is part of another must not leave the rest of it.
    @Test func theLongestGoesFirst() {
        #expect(Redactor(["secret-a", "secret-a-and-more"]).clean("(secret-a-and-more)") == "([removed])")
    }

    /// What a variable of no secret name holds goes where it stands alone, and never out of what is to be typed.
    @Test func ordinaryValues() {
        let redactor = Redactor([], values: ["planted-value"])
        #expect(redactor.clean("(planted-value), planted-values") == "([removed]), planted-values")
        let finding: JSON = ["text": "planted-value", "remedy": "docker start planted-value"]
        #expect(redactor.clean(finding) == ["text": "[removed]", "remedy": "docker start planted-value"])
    }

    /// Long lines take no longer than as many short ones.
    @Test(
        arguments: [
            "a", "0", "-", " ", "key", "key ", "key=", "://", "://@", "--key ", "\"", "'key='", "-e ",
            "bearer ",
        ])
    func longLines(_ part: String) {
        let text = String(repeating: part, count: 65536 / part.utf8.count)
        let clean = Redactor(["planted-value"], values: ["another-value"]).clean(text + " planted-value")
        #expect(!clean.contains("planted"))
        if part == "0" { #expect(clean == "[removed] [removed]") }
    }

    private static let words: [(argv: [String], expected: [String])] = [
        (["-f", "{connection_file}"], ["-f", "{connection_file}"]),
        (["--env", "A=b", "--env", "A"], ["--env", "A=[removed]", "--env", "A"]),
        (["-e=A=b c"], ["-e=A=[removed]"]),
        (
            ["--password", "b", "--token=b", "--identity-key", "k"],
            ["--password", "[removed]", "--token=[removed]", "--identity-key", "[removed]"]
        ),
        (["--cmd", "env A='b c' python -m x"], ["--cmd", "env A=[removed] python -m x"]),
        (["--cmd", #"["env", "A=b", "python"]"#], ["--cmd", "env A=[removed] python"]),
        (["--docker", "docker -H tcp://u:p@h"], ["--docker", "docker -H tcp://[removed]@h"]),
        (["--display=a", "--workdir=/a"], ["--display=a", "--workdir=/a"]),
        (["PASSWORD=b"], ["PASSWORD=[removed]"]),
        (["--db-pass", "hunter2", "--pwd=hunter2"], ["--db-pass", "[removed]", "--pwd=[removed]"]),
    ]

    /// A container's variables of such names are taken out wherever their values stand; its folder is none of them.
    @Test(arguments: ["DB_PASS", "MYSQL_PWD", "PGPASS", "REDISCLI_AUTH", "HF_TOKEN", "API_KEY", "Cookie"])
    func namesOfSecrets(_ name: String) { #expect(SecretName.isSecret(name)) }

    @Test(arguments: ["PWD", "OLDPWD", "GIT_AUTHOR_NAME", "PATH", "LANG", ""])
    func namesOfOthers(_ name: String) { #expect(!SecretName.isSecret(name)) }

    @Test(arguments: words.indices)
    func outOfCommands(_ row: Int) {
        let clean = Redactor([]).clean(argv: Self.words[row].argv)
        // How a word is quoted inside of another does not matter here.
        #expect(clean.map { $0.replacing("'", with: "") } == Self.words[row].expected)
    }

    /// A secret in every place that a report is made from; none of them may be in the file.
    @Test func outOfAReport() throws {
        let folder = try Scratch()
        let runtime = try RuntimeFolder(environment: ["KERNELRELAY_RUNTIME_DIR": folder.path])
        _ = try folder.write("secret", "planted-runtime-secret-1")
        _ = try folder.write(
            "relayd.log",
            "2026-11-21T16:59:11Z serving token=planted-log-2\n" + String(repeating: "x", count: 990)
                + "planted-runtime-secret-1\nlast planted-container-3 \(Self.key)\nsaid (leak-3b)\n")
        let inspect = #"""
            [{"Id": "ab12", "Name": "/dev", "State": {"Status": "running"},
              "Config": {"Image": "img", "Env": ["A=planted-container-3", "DB_PASS=leak-3b", "PATH=/usr/bin"], "Labels": {"l": "planted-label-4"}},
              "HostConfig": {"Tmpfs": {"/tmp": "planted-container-3"}},
              "Mounts": [{"Type": "bind", "Source": "/srv/planted-container-3", "Destination": "/x", "RW": true}]}]
            """#
        let environment = ["HF_TOKEN": "planted-caller-5", "DOCKER_HOST": "tcp://u:planted-url-6@h"]
        var chart = Chart(
            .init(
                engine: Engine(
                    EngineClient(
                        command: ["docker", "--password", "planted-client-7"], environment: environment)),
                environment: environment, container: "dev"))
        chart.folder = runtime
        chart.container = try Container(inspect: Array(inspect.utf8))
        chart.facts = try InspectFacts(inspect: Array(inspect.utf8))
        chart.specs = [
            InstalledSpec(
                name: "dev", folder: "/k/dev",
                spec: Kernelspec(
                    program: "/opt/relay-shim", container: "dev", displayName: "planted-value-8",
                    options: [
                        "--env", "B=planted-argv-9", "--cmd", "env C=planted-cmd-10 python", "--docker",
                        "docker -H ssh://u:planted-docker-11@h",
                    ],
                    variables: ["D": "planted-variable-12", "E": "planted-value-8"]))
        ]
        chart.status = [
            "kernels": [
                [
                    "id": "k", "key": "planted-key-13", "container_id": .string(Self.key),
                    "notebook": "planted-variable-12",
                ]
            ],
            "events": [["facts": ["token": "planted-fact-14"]]], "env": ["A": "planted-env-15"],
        ]
        let entries = [
            Examination.Entry("context", .good("DOCKER_HOST: tcp://u:planted-url-6@h")),
            Examination.Entry(
                "kernel",
                .bad(
                    "it wrote: planted-container-3 and planted-caller-5",
                    "docker --password planted-client-7 start dev")),
        ]
        let file = ReportFile(DoctorReport(entries: entries, container: "dev"), chart)
        let path = "\(folder.path)/report.json"
        try file.write(to: path)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let leaks = text.matches(of: try Regex("planted-[a-z]+-[0-9]+")).map { String(text[$0.range]) }
        #expect(leaks.isEmpty)
        #expect(!text.contains(Self.key) && !text.contains("planted") && !text.contains("leak-3b"))
        #expect(text.contains("\"0123456789ab\"") && text.contains("/opt/relay-shim"))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }
}
