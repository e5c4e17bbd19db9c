import Foundation
import Glibc
import RelayLink
import Testing

/// What the words of kernel.json become.
@Suite struct LaunchTests {
    private func launch(_ words: [String], _ more: [String: String] = [:]) throws -> ControlRequest.Launch {
        let rig = try Rig()
        rig.environment.merge(more) { $1 }
        let relayd = try FakeRelayd(rig.socket)
        let shim = try rig.shim(words)
        let request = try relayd.connection().next()
        guard case .launch(1, var launch) = request else { throw Silence(description: "\(request)") }
        #expect(launch.folder == "\(rig.folder)/notebooks")
        #expect(launch.engineEnvironment["HOME"] == rig.folder)
        launch.folder = "/notebooks"
        launch.connectionFile = launch.connectionFile.replacingOccurrences(of: rig.folder, with: "")
        _ = shim
        return launch
    }

    @Test func theLeast() throws {
        var launch = try launch(["-f", "/j/k.json", "--container", "dev"])
        launch.engineEnvironment = [:]
        #expect(launch == .init(connectionFile: "/j/k.json", container: "dev", folder: "/notebooks"))
    }

    @Test func everything() throws {
        var launch = try launch(
            [
                "-f", "sub/k.json", "--container=dev", "--user", "me:staff", "--workdir", "/w", "--env",
                "A=b=c",
                "--env", "GIVEN", "--env", "UNSET", "--env", "EMPTY=", "--cmd",
                "python3 -m other -f {connection_file}",
                "--docker", "podman --url 'unix:///a b'", "--transport", "tcp", "--route", "bridge",
                "--interrupt", "message", "--control", "1", "--hb", "2", "--iopub", "3", "--shell", "4",
                "--stdin", "65535", "--idle-timeout", "30m", "--max-lifetime=1d",
                "--HistoryManager.enabled=False", "--user", "kernel's",
            ], ["GIVEN": "over", "JPY_SESSION_NAME": "a.ipynb", "JPY_PARENT_PID": "\(getpid())"])
        launch.engineEnvironment = [:]
        #expect(
            launch
                == .init(
                    connectionFile: "/notebooks/sub/k.json", container: "dev",
                    engine: ["podman", "--url", "unix:///a b"], user: "me:staff", workdir: "/w",
                    folder: "/notebooks",
                    env: ["A": "b=c", "GIVEN": "over", "EMPTY": "", "JPY_SESSION_NAME": "a.ipynb"],
                    command: "python3 -m other -f {connection_file}",
                    trailing: ["--HistoryManager.enabled=False", "--user", "kernel's"],
                    ports: ["control": 1, "hb": 2, "iopub": 3, "shell": 4, "stdin": 65535], transport: .tcp,
                    route: .bridge, interrupt: .message, session: "a.ipynb",
                    lifetimes: .init(idle: 1_800_000, most: 86_400_000)))
    }

    @Test func aProjectsKernel() throws {
        var launch = try launch(
            [
                "-f", "/j/k.json", "--project", "--allow", "dev-*", "--allow=box", "--user", "host", "--env",
                "A",
                "--", "--project",
            ],
            [
                "A": "a", "KERNELRELAY_CONTAINER": "c", "KERNELRELAY_COMMAND": "R",
                "KERNELRELAY_USER": "host",
                "KERNELRELAY_WORKDIR": "/w", "KERNELRELAY_ENV_B": "b",
            ])
        launch.engineEnvironment = [:]
        #expect(
            launch
                == .init(
                    connectionFile: "/j/k.json", container: "", user: "\(getuid()):\(getgid())",
                    folder: "/notebooks",
                    env: ["A": "a"],
                    trailing: ["--project"],
                    project: .init(
                        host: "\(getuid()):\(getgid())",
                        overrides: .init(
                            container: "c", command: "R", user: "host", workdir: "/w", env: ["B": "b"]),
                        allow: ["dev-*", "box"])))
        // It may name the container of folders without a file.
        #expect(try self.launch(["-f", "/k", "--container", "dev", "--project"]).container == "dev")
    }

    /// They would lead every other kernel astray.
    @Test func aKernelThatNamesItsContainerHeedsNoProjectsVariables() throws {
        let launch = try launch(
            ["-f", "/k", "--container", "dev"],
            ["KERNELRELAY_CONTAINER": "c", "KERNELRELAY_USER": "u", "KERNELRELAY_ENV_B": "b"])
        #expect(launch.container == "dev" && launch.user == nil && launch.env == [:] && launch.project == nil)
    }

    @Test func twoDashesEndOurWords() throws {
        let base = ["-f", "/j/k.json", "--container", "dev"]
        #expect(try launch(base + ["--", "--user", "x"]).trailing == ["--user", "x"])
        #expect(try launch(base + ["--"]).trailing == [])
        #expect(try launch(base + ["plain", "--", "x"]).trailing == ["plain", "--", "x"])
    }

    @Test func hostIsTheCaller() throws {
        let launch = try launch(["-f", "/j/k.json", "--container", "dev", "--user", "host"])
        #expect(launch.user == "\(getuid()):\(getgid())")
    }

    @Test func whosePathsADebuggerIsTold() throws {
        let base = ["-f", "/j/k.json", "--container", "dev"]
        #expect(try launch(base + ["--debug-paths", "host"]).debugPaths == .host)
        #expect(try launch(base + ["--debug-paths=container"]).debugPaths == .container)
    }

    /// Jupyter fills its path in there as well; relayd sees to that.
    @Test func theAgentIsTheCallers() throws {
        let base = ["-f", "/k", "--container", "c", "--ssh-agent"]
        let agent = ["SSH_AUTH_SOCK": "/tmp/agent"]
        #expect(try launch(base, agent).sshAgent == "/tmp/agent")
        #expect(try launch(Array(base.dropLast()), agent).sshAgent == nil)
        // It has no value: what follows is looked at for itself.
        let more = try launch(base + ["--route", "tunnel", "word", "--ssh-agent"], agent)
        #expect(more.route == .tunnel && more.trailing == ["word", "--ssh-agent"])
    }

    @Test(arguments: ["", nil]) func withoutAnAgentNoneIsHandedOn(path: String?) throws {
        let rig = try Rig()
        rig.environment["SSH_AUTH_SOCK"] = path
        let shim = try rig.shim(["-f", "/k", "--container", "c", "--ssh-agent"])
        #expect(try shim.end() == .code(69))
        #expect(shim.stderr().hasPrefix("relay-shim: KR-AGENT-MISSING: "))
        #expect(rig.starts == 0)
    }

    @Test func theCommandGoesAsItIs() throws {
        let launch = try launch([
            "-f", "/j/k.json", "--container", "dev", "--cmd", "['R', '-f', '/j/k.json']",
        ])
        #expect(launch.command == "['R', '-f', '/j/k.json']")
    }

    @Test func ofTheEnvironmentOnlyWhatIsNeededCrosses() throws {
        let launch = try launch(
            ["-f", "/j/k.json", "--container", "dev", "--env", "JPY_PARENT_PID=1"],
            [
                "DOCKER_HOST": "ssh://x", "CONTAINER_HOST": "y", "SSH_AUTH_SOCK": "/s",
                "XDG_RUNTIME_DIR": "/r",
                "https_proxy": "p", "JUPYTER_TOKEN": "t", "AWS_SECRET_ACCESS_KEY": "a", "JPY_API_TOKEN": "b",
                "JPY_PARENT_PID": "\(getpid())",
            ])
        #expect(
            Set(launch.engineEnvironment.keys) == [
                "PATH", "HOME", "DOCKER_HOST", "CONTAINER_HOST", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR",
                "https_proxy",
            ])
        #expect(launch.env == [:])
    }

    @Test(arguments: [
        [], ["-f", "/k"], ["--container", "dev"], ["-f"], ["-f", "/k", "--container"],
        ["-f", "/k", "--container", ""], ["-f", "/k", "-f", "/k", "--container", "c"],
        ["-f", "/k", "--container", "c", "--shell", "0"],
        ["-f", "/k", "--container", "c", "--shell", "65536"],
        ["-f", "/k", "--container", "c", "--hb", "x"], ["-f", "/k", "--container", "c", "--route", "detour"],
        ["-f", "/k", "--container", "c", "--transport", "udp"],
        ["-f", "/k", "--container", "c", "--env", "=v"],
        ["-f", "/k", "--container", "c", "--interrupt", "no"],
        ["-f", "/k", "--container", "c", "--debug-paths", "mine"],
        ["-f", "/k", "--container", "c", "--docker", "'"],
        ["-f", "/k", "--container", "c", "--docker", ""], ["--contaner", "c", "-f", "/k"],
        ["-f", "/k", "--container", "c", "--allow", "x"], ["-f", "/k", "--project=yes"],
        ["-f", "/k", "--project", "--allow"], ["\u{1b}[2J"],
    ])
    func wrongWordsAreRefused(words: [String]) throws {
        let rig = try Rig()
        let shim = try rig.shim(words)
        #expect(try shim.end() == .code(64))
        let said = shim.stderr()
        if words.isEmpty {
            #expect(said.hasPrefix("usage: relay-shim -f "))
        } else {
            #expect(said.hasPrefix("relay-shim: KR-USAGE: ") && said.hasSuffix(" Ask with --help.\n"))
            #expect(!said.contains("\u{1b}"))
        }
        #expect(rig.starts == 0)
    }

    @Test func aLaunchThatFitsIntoNoFrameIsRefused() throws {
        let rig = try Rig()
        let relayd = try FakeRelayd(rig.socket)
        // No single word may have more than 128 kB.
        let env = (0..<11).flatMap { ["--env", "V\($0)=" + String(repeating: "x", count: 100_000)] }
        let shim = try rig.shim(["-f", "/k", "--container", "c"] + env)
        #expect(try shim.end() == .code(64))
        _ = relayd
    }

    @Test func noSecretIsInAnArgv() throws {
        let rig = try Rig(start: "tr '\\0' ' ' < /proc/$$/cmdline > cmdline; mv waiting.sock relayd.sock")
        rig.environment["SECRET"] = "s3cr3t"
        for name in ["COMMAND", "USER", "CONTAINER", "WORKDIR", "ENV_X"] {
            rig.environment["KERNELRELAY_\(name)"] = "s3cr3t-too"
        }
        let relayd = try FakeRelayd(rig.waiting)
        let shim = try rig.shim(["-f", "/k", "--container", "c", "--env", "SECRET"])
        let connection = try relayd.connection()
        guard case .launch(_, let launch) = try connection.next() else {
            throw Silence(description: "launch")
        }
        #expect(launch.env == ["SECRET": "s3cr3t"])
        connection.send(.launched(request: 1, Rig.keepsake))
        let own = try String(contentsOfFile: "/proc/\(shim.pid)/cmdline", encoding: .utf8)
        let started = try String(contentsOfFile: "\(rig.runtime)/cmdline", encoding: .utf8)
        for text in [own, started] { #expect(!text.contains("s3cr3t") && !text.contains("secret-token")) }
        let crossed = try String(contentsOfFile: "\(rig.runtime)/environment", encoding: .utf8)
        #expect(!crossed.contains("s3cr3t"), "relayd outlives this caller")
    }
}
