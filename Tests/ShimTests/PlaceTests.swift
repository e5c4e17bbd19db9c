import Foundation
import Glibc
import Host
import RelayLink
import Shim
import Testing

/// Words that choose another place than a container which is there.
@Suite struct PlaceTests {
    private func launch(_ words: [String], _ variables: [String: String] = [:]) throws
        -> ControlRequest.Launch
    {
        var reader = try LaunchWords(
            ["-f", "/k.json"] + words, caller: CallerEnvironment(variables), folder: "/notebooks")
        return try reader.launch()
    }

    @Test func anImage() throws {
        let words = [
            "--image", "debian:12", "--cmd", "python3 -m ipykernel", "--", "-v", "/a:/b", "-e", "K=v w", "-e",
            "GIVEN",
            "--env=L=1=2", "-itdeM=3", "-e=N=4", "--memory", "1g", "--", "--kernel", "-e", "X=5",
        ]
        let launch = try launch(words, ["GIVEN": "over"])
        #expect(launch.making == .init(image: "debian:12", arguments: ["-v", "/a:/b", "--memory", "1g"]))
        #expect(launch.env == ["K": "v w", "GIVEN": "over", "L": "1=2", "M": "3", "N": "4"])
        #expect(launch.trailing == ["--kernel", "-e", "X=5"])
        #expect(launch.container.isEmpty && launch.hostEnvironment == nil && launch.transport == .ipc)
    }

    /// The runtime of NVIDIA's engine sees what the container has, and nothing that only the kernel has.
    @Test func settingsOfNvidiasRuntimeAreTheEnginesToo() throws {
        let words = [
            "--image", "i", "--env", "NVIDIA_DRIVER_CAPABILITIES=all", "--", "-e", "NVIDIA_VISIBLE_DEVICES",
            "-e", "K=v",
            "-v", "a:b",
        ]
        let launch = try launch(words, ["NVIDIA_VISIBLE_DEVICES": "0,1"])
        let given = ["--env", "NVIDIA_DRIVER_CAPABILITIES=all", "--env", "NVIDIA_VISIBLE_DEVICES=0,1"]
        #expect(launch.making == .init(image: "i", arguments: ["-v", "a:b"] + given))
        #expect(
            launch.env == ["NVIDIA_DRIVER_CAPABILITIES": "all", "NVIDIA_VISIBLE_DEVICES": "0,1", "K": "v"])
    }

    @Test(
        arguments: [
            ([], nil), (["--entrypoint", "a"], "a"), (["--entrypoint=a b", "-v", "x"], "a b"),
            (["--entrypoint="], ""),
            (["--entrypoint", "a", "--entrypoint", ""], ""), (["--entrypoint"], nil),
            (["--entry", "a"], nil),
        ] as [([String], String?)])
    func theEntrypointIsTheLast(words: [String], entrypoint: String?) {
        #expect(RunArguments.entrypoint(in: words) == entrypoint)
    }

    @Test func whatJupyterAppendsWithoutDashesIsTheKernels() throws {
        let launch = try launch(["--image", "i", "--HistoryManager.enabled=False", "--", "-v", "x"])
        #expect(launch.making == .init(image: "i"))
        #expect(launch.trailing == ["--HistoryManager.enabled=False", "--", "-v", "x"])
    }

    @Test func theHost() throws {
        let caller = [
            "PATH": "/p", "JUPYTER_TOKEN": "everything", "JPY_PARENT_PID": "1", "KERNELRELAY_ENV_A": "a",
        ]
        let launch = try launch(
            ["--cmd", "compose run x", "--env", "A", "--shell", "7", "--", "-e", "K=v"], caller)
        #expect(launch.hostEnvironment == ["PATH": "/p", "JUPYTER_TOKEN": "everything"])
        #expect(launch.env == ["A": "a"])
        #expect(launch.trailing == ["-e", "K=v"])
        #expect(launch.transport == .tcp && launch.ports["shell"] == 7 && launch.making == nil)
    }

    @Test(arguments: [
        ("python -m ipykernel_launcher", true), ("/opt/x/bin/python3.12 -Xa -m ipykernel", true),
        ("['/opt/a b/python3', '-m', 'ipykernel_launcher', '-f', '/k.json']", true),
        ("env python -m ipykernel_launcher", false), ("python start.py -m ipykernel", false),
        ("python -m bash_kernel", false), ("docker run x python -m ipykernel", false), ("python -m", false),
    ])
    func ipykernelItselfNeedsNoPorts(command: String, isPrivate: Bool) throws {
        #expect(try launch(["--cmd", command]).transport == (isPrivate ? .ipc : .tcp))
        #expect(try launch(["--cmd", command, "--transport", "tcp"]).transport == .tcp)
        #expect(try launch(["--cmd", command, "--container", "c"]).transport == .ipc)
    }

    @Test(arguments: [
        ["--image", "i", "--container", "c"], ["--image", ""], ["--image"], [],
        ["--cmd", "x", "--container", ""],
        ["--cmd", "x", "--user", "me"], ["--image", "i", "--image", "j"], ["--imag", "i"],
    ])
    func refused(words: [String]) {
        #expect(throws: HostError.self) { try launch(words) }
    }

    // MARK: - Values

    @Test func valuesAreTakenOutOfTheCommandLine() throws {
        let rig = try Rig()
        let relayd = try FakeRelayd(rig.socket)
        let shim = try rig.shim([
            "-f", "/k", "--env", "A=s3cr3t", "--image", "i", "--env=B=s3cr3t=2", "--env", "C", "--cmd", "x=1",
            "--docker", "env DOCKER_AUTH=s3cr3t docker", "--",
            "-e", "D=s3cr3t", "-e", "E=", "--label", "F=shown", "-teG=s3cr3t", "--", "--env",
            "H=the kernel's",
        ])
        guard case .launch(_, let launch) = try relayd.connection().next() else {
            throw Silence(description: "launch")
        }
        #expect(launch.env == ["A": "s3cr3t", "B": "s3cr3t=2", "D": "s3cr3t", "E": "", "G": "s3cr3t"])
        let line = try String(contentsOfFile: "/proc/\(shim.pid)/cmdline", encoding: .utf8)
        let shown = line.split(separator: "\0").dropFirst().map(String.init)
        #expect(
            shown == [
                "-f", "/k", "--env", "A=...", "--image", "i", "--env=B=...", "--env", "C", "--cmd", "x=1",
                "--docker", "env DOCKER_AUTH=... docker", "--", "-e",
                "D=...", "-e", "E=", "--label", "F=shown", "-teG=...", "--", "--env", "H=the kernel's",
            ])
    }

    @Test(arguments: [
        ("docker", "docker"), ("sudo -E docker", "sudo -E docker"),
        ("env A=planted docker", "env A=... docker"),
        ("['env', 'A=planted b', 'docker']", "env A=... docker"), ("env A=p docker", "env A=... dock"),
        ("docker -H ssh://me:planted@h", "docker -H ssh://...@h"), ("env A='planted", "env A=..."),
    ])
    func ofAClientIsShownWhatErrorsShow(client: String, shown: String) {
        for (words, place) in [(["--docker", client], 1), (["--docker=\(client)"], 0)] {
            let places = HiddenValues.places(in: words, options: ["--docker"], flags: [])
            #expect(places.keys.map(\.self) == [place])
            let masked = HiddenValues.masked(words.map { Array($0.utf8) }, places)
            let told = String(decoding: masked, as: UTF8.self)
            #expect(told.filter { $0 != "\0" }.hasSuffix(shown) && !told.contains("planted"))
            #expect(masked.count == words.joined(separator: " ").utf8.count)
        }
    }

    @Test func aMaskTakesNoMoreRoomThanTheValue() {
        let words = ["p", "A=x", "B=", "C", "D=longer"].map { Array($0.utf8) }
        let masked = HiddenValues.masked(
            words, Dictionary(uniqueKeysWithValues: (1...4).map { ($0, .value(behind: 1)) }))
        #expect(String(decoding: masked, as: UTF8.self) == "p\0A=.\0B=\0C\0D=...\0\0\0")
    }
}
