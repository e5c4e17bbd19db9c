import Host
import KernelRelay
import Testing

/// What the words of `relayd add` ask for.
@Suite struct AddRequestTests {
    private func add(_ words: [String]) throws -> (AddRequest, Kernelspec) {
        var request = try AddRequest(words)
        let spec = try request.spec(program: "/s")
        return (request, spec)
    }

    @Test func theLeast() throws {
        let (request, spec) = try add(["--container", "dev"])
        #expect(spec == Kernelspec(program: "/s", container: "dev", displayName: "Python (dev)"))
        #expect(request.name == "python-dev")
        #expect(request.place == .user)
        #expect(!request.replaces)
    }

    @Test func everything() throws {
        let (request, spec) = try add([
            "--container", "dev", "--name", "n", "--display-name", "D", "--language", "L", "--prefix", "/p",
            "--replace", "--interrupt-mode", "message", "--exec-user", "host", "--workdir", "/w", "--env",
            "A",
            "--env", "B=c", "--cmd", "['x', '-f', '{connection_file}']", "--docker", "podman --remote",
            "--route",
            "line", "--transport", "tcp", "--debug-paths", "host", "--shell", "1", "--stdin", "2",
            "--max-lifetime", "1d",
        ])
        #expect(request.name == "n")
        #expect(request.place == .prefix("/p"))
        #expect(request.replaces)
        #expect(
            spec
                == Kernelspec(
                    program: "/s", container: "dev", displayName: "D", language: "L", interruptMode: .message,
                    options: [
                        "--user", "host", "--workdir", "/w", "--env", "A", "--env", "B", "--cmd",
                        "['x', '-f', '{connection_file}']", "--docker", "podman --remote", "--route", "line",
                        "--transport", "tcp", "--debug-paths", "host", "--max-lifetime", "1d", "--shell", "1",
                        "--stdin", "2",
                    ], variables: ["B": "c"]))
        #expect(!spec.argv.contains { $0.contains("B=c") })
        #expect(String(decoding: spec.text(as: "n"), as: UTF8.self).contains(#""KERNELRELAY_ENV_B" : "c""#))
    }

    @Test func oneForEveryProject() throws {
        let (request, spec) = try add(["--project", "--allow", "a*", "--allow", "b", "--exec-user", "host"])
        #expect(request.name == "container-of-this-project")
        #expect(spec.displayName == "Container of this project" && spec.isOfProject)
        #expect(
            spec.argv == [
                "/s", "-f", "{connection_file}", "--project", "--allow", "a*", "--allow", "b", "--user",
                "host",
                "--",
            ])
        #expect(spec.values("--allow") == ["a*", "b"] && spec.values("--user") == ["host"])
        #expect(Kernelspec(reading: spec.json(as: "n"), named: "n") == spec)
        let other = try add(["--project", "--container", "dev"]).1
        #expect(other.argv.prefix(6) == ["/s", "-f", "{connection_file}", "--container", "dev", "--project"])
        #expect(Kernelspec(reading: other.json(as: "n"), named: "n") == other)
    }

    @Test func theAgentIsAskedForInOneWord() throws {
        let (_, spec) = try add(["--ssh-agent", "--container", "c", "--route", "tunnel"])
        #expect(spec.options == ["--route", "tunnel", "--ssh-agent"])
    }

    @Test func theLanguageIsTheCommands() throws {
        #expect(try add(["--container", "c", "--cmd", "/usr/bin/R --slave"]).1.language == "R")
        #expect(try add(["--container", "c", "--cmd", "julia -i"]).1.displayName == "Julia (c)")
        #expect(try add(["--container", "c", "--cmd", "python3.12 -m x"]).1.language == "python")
    }

    @Test(arguments: [
        [], ["--container", ""], ["--container", "c", "x"], ["--container", "c", "--user", "--sys-prefix"],
        ["--container", "c", "--prefix", ""], ["--container", "c", "--prefix", "/p", "--user"],
        ["--container", "c", "--env", "=x"], ["--container", "c", "--docker", "'"],
        ["--container", "c", "--shell", "0"], ["--container", "c", "--route", "x"],
        ["--container", "c", "--idle-timeout", "soon"],
        ["--container", "c", "--transport", "x"], ["--container", "c", "--debug-paths", "x"],
        ["--container", "c", "--interrupt-mode", "auto"],
        ["--container", "c", "--", "x"], ["--container", "c", "--container", "d"], ["--nonsense"],
        ["--container", "c", "--allow", "x"], ["--allow", "x"], ["--project", "--container"],
    ])
    func refused(words: [String]) {
        #expect(throws: HostError.self) { try add(words) }
    }

    @Test func aCommandOrANameThatIsNoneIsRefused() {
        #expect(code { _ = try add(["--container", "c", "--cmd", "a 'b"]) } == .command)
        #expect(code { _ = try add(["--container", "c", "--name", "python3"]) } == .specName)
    }
}
