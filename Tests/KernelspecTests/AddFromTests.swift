import Host
import KernelRelay
import Testing

/// A list of kernels, as words of `relayd add`.
@Suite struct AddFromTests {
    private func words(_ text: String) throws -> [[String]] {
        try AddFrom.entries(Array(text.utf8), of: "list.json")
    }

    @Test func everythingThatAddTakes() throws {
        let text = #"""
            [
              {"container": "dev"},
              {"container": "-x", "name": "n", "display_name": "D", "language": "R", "user": "host",
               "command": ["R", "a b"], "workdir": "/w", "env": {"A": "b=c", "HF_TOKEN": null}, "docker": "podman",
               "route": "line", "on_failure": "exit", "launch_timeout": 180, "shell": 7000,
               "interrupt_mode": "message"},
              {"project": true, "allow": ["a*", "b"], "command": "R --slave"},
              {"project": false, "container": "c"},
              {"image": "i", "run": ["-v", "/a b:/c", "-e", "HF_TOKEN"], "user": "host"}
            ]
            """#
        #expect(
            try words(text) == [
                ["--container=dev"],
                [
                    #"--cmd=["R","a b"]"#, "--container=-x", "--display-name=D", "--docker=podman",
                    "--env=A=b=c", "--env=HF_TOKEN", "--interrupt-mode=message", "--language=R",
                    "--launch-timeout=180", "--name=n", "--on-failure=exit", "--route=line", "--shell=7000",
                    "--exec-user=host", "--workdir=/w",
                ], ["--allow=a*", "--allow=b", "--cmd=R --slave", "--project"], ["--container=c"],
                ["--image=i", "--exec-user=host", "--", "-v", "/a b:/c", "-e", "HF_TOKEN"],
            ])
        #expect(try words("[]") == [])
        for words in try words(text) {
            var request = try AddRequest(words)
            let spec = try request.spec(program: "/s")
            guard spec.image != nil else { continue }
            #expect(spec.argv.suffix(6) == ["--env", "HF_TOKEN", "--", "-v", "/a b:/c", "--"])
        }
    }

    @Test(arguments: [
        ("{}", "holds no list"), ("[1]", "entry 1"),
        ("[{}, {\"colour\": 1}]", "entry 2: unknown key “colour”"),
        ("[", "not JSON, at byte 1"), ("[{\"replace\": true}]", "unknown key “replace"),
        ("[{\"prefix\": \"/p\"}]", "unknown key “prefix"), ("[{\"cmd\": \"x\"}]", "unknown key “cmd"),
        ("[{\"display-name\": \"x\"}]", "unknown key"),
        ("[{\"container\": true}]", "entry 1: “container” takes"),
        ("[{\"container\": null}]", "container” takes"), ("[{\"project\": \"x\"}]", "project” takes"),
        ("[{\"container\": \"a\\u0000\"}]", "container” takes"), ("[{\"allow\": [1]}]", "allow” takes"),
        ("[{\"env\": [\"A\"]}]", "env takes"), ("[{\"env\": {\"A\": 1}}]", "env takes"),
        ("[{\"env\": {\"A=B\": \"planted\"}}]", "env takes"),
        ("[{\"container\": \"a\", \"container\": \"b\"}]", "twice"),
        ("[{\"container\": \"a\", \"run\": [\"-v\"]}]", "run belongs beside image"),
        ("[{\"image\": \"i\", \"run\": \"-v planted\"}]", "run takes a list"),
        ("[{\"image\": \"i\", \"run\": [1]}]", "run takes a list"),
    ])
    func refused(text: String, says: String) {
        do throws(HostError) {
            _ = try AddFrom.entries(Array(text.utf8), of: "list.json")
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .usage)
            #expect(error.context.contains("list.json") && error.context.contains(says), "\(error.context)")
            #expect(!error.context.contains("planted"))
        }
    }
}
