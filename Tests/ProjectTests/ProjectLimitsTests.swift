import Foundation
import KernelRelay
import RelayLink
import Testing

/// A project's file comes with what people clone: this is the line that it may not cross. Whoever moves it changes this
/// test, and docs/projects.md.
@Suite struct ProjectLimitsTests {
    private func read(_ text: String) throws -> ProjectValues {
        try ProjectReader.read(Array(text.utf8), from: "/p/.kernelrelay.json")
    }

    @Test func allThatItMayHave() throws {
        #expect(
            Set(ProjectReader.keys) == ["container", "command", "user", "workdir", "env", "schema_version"])
        let text = #"""
            {"schema_version": 1, "container": "dev", "command": ["R", "it's", "{connection_file}"],
             "user": "host", "workdir": "/w", "env": {"A": "b=c", "EMPTY": ""}}
            """#
        #expect(
            try read(text)
                == ProjectValues(
                    container: "dev", command: #"["R","it's","{connection_file}"]"#, user: "host",
                    workdir: "/w", env: ["A": "b=c", "EMPTY": ""]))
        #expect(try read("{}") == ProjectValues())
        #expect(try read(#"{"command": "python3 -m 'a b'"}"#).command == "python3 -m 'a b'")
    }

    /// Whatever an option of the shim's, of `relayd add` or of `relayd up` is called, and more.
    static let forbidden = Set(
        [
            "docker", "engine", "engine_environment", "engineEnvironment", "client", "host", "context",
            "image",
            "build", "run", "args", "arguments", "volumes", "volume", "mount", "mounts", "binds", "devices",
            "gpus",
            "privileged", "network", "publish", "ports", "shell", "stdin", "iopub", "hb", "control", "route",
            "transport", "interrupt", "on_failure", "launch_timeout", "ssh_agent", "ssh-agent",
            "host_command",
            "hook", "hooks", "pre", "post", "cmd", "env_file", "pass", "pass_env", "allow", "project",
            "extends",
            "include", "connection_file", "trailing", "folder", "Container", "container ", "", "-",
            "__proto__",
        ] + (AddRequest.options.union(AddRequest.flags)).map { String($0.dropFirst(2)) }
    ).subtracting(ProjectReader.keys).sorted()

    @Test(arguments: forbidden)
    func everythingElseIsRefused(key: String) throws {
        for value in ["null", "true", "\"x\"", "[\"x\"]", "{\"x\": \"y\"}"] {
            let text =
                "{\"container\": \"dev\", \(String(decoding: JSON.string(key).encoded, as: UTF8.self)): \(value)}"
            let error = refusal { _ = try read(text) }
            #expect(error?.code == .projectKey)
            #expect(error?.context.hasSuffix(" in /p/.kernelrelay.json") == true)
        }
    }

    @Test(arguments: [
        #"{"container": ""}"#, #"{"container": "-v"}"#, #"{"container": "--privileged"}"#,
        #"{"container": 1}"#,
        #"{"container": null}"#, #"{"container": ["a", "-v"]}"#, #"{"container": "a\nb"}"#,
        #"{"container": "a\u0000b"}"#, #"{"container": "a\u001b[2J"}"#, #"{"container": {"image": "x"}}"#,
        #"{"user": ""}"#, #"{"user": "-u"}"#, #"{"user": 0}"#, #"{"user": "a\tb"}"#, #"{"workdir": "w"}"#,
        #"{"workdir": ""}"#, #"{"workdir": "-w"}"#, #"{"workdir": "~"}"#, #"{"workdir": ["/"]}"#,
        #"{"command": []}"#, #"{"command": [""]}"#, #"{"command": ""}"#, #"{"command": "a 'b"}"#,
        #"{"command": ["a", 1]}"#, #"{"command": ["a\u0000"]}"#, #"{"command": {"host": "x"}}"#,
        #"{"command": true}"#, #"{"env": ["HF_TOKEN"]}"#, #"{"env": {"HF_TOKEN": null}}"#,
        #"{"env": {"HF_TOKEN": true}}"#, #"{"env": {"": "x"}}"#, #"{"env": {"A=B": "x"}}"#,
        #"{"env": {"A": "planted-value\u0000"}}"#, #"{"env": "A=planted-value"}"#, #"{"schema_version": 2}"#,
        #"{"schema_version": "1"}"#,
    ])
    func valuesThatAreOfNoUseAreRefused(text: String) throws {
        let error = refusal { _ = try read(text) }
        #expect(error?.code == .projectValue)
        #expect("\(error as Any)".contains("planted-value") == false)
    }

    @Test(
        arguments: [
            ("", 1, 1), ("[]", nil, nil), ("\"x\"", nil, nil), ("{\n  \"container\": \"a\",\n}", 3, 1),
            ("{\"container\": \"a\", \"container\": \"b\"}", 1, 36), ("{} x", 1, 4), ("// x\n{}", 1, 1),
        ] as [(String, Int?, Int?)])
    func whatIsNoJSONIsRefusedWithItsPlace(text: String, line: Int?, column: Int?) throws {
        let error = refusal { _ = try read(text) }
        #expect(error?.code == .projectJSON)
        if let line, let column {
            #expect(error?.context == "/p/.kernelrelay.json, line \(line), column \(column)")
        }
    }

    /// Nothing of the launch but these five can be another for what a file says.
    @Test func onlyWhatKernelJSONAllowsCanBeChosen() throws {
        let fixture = try ProjectFixture()
        try fixture.put(#"{"container": "prod-db"}"#)
        #expect(try fixture.choose().values.container == "prod-db")
        let error = refusal { _ = try fixture.choose(allow: ["play-*", "dev"]) }
        #expect(error?.code == .projectContainer)
        #expect(try fixture.choose(allow: ["play-*", "prod-?b"]).values.container == "prod-db")
        // What the caller says is the caller's own.
        try fixture.put("{}")
        #expect(try fixture.choose(.init(container: "box"), allow: ["dev"]).values.container == "box")
        #expect(
            try fixture.choose(.init(), .init(container: "box"), allow: ["dev"]).values.container == "box")
    }
}
