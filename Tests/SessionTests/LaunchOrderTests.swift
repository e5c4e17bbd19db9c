import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

/// What a gate is asked for on behalf of a launch.
@Suite struct LaunchOrderTests {
    private func login(_ user: String?, _ environment: [String: String] = [:]) throws -> String? {
        let launch = ControlRequest.Launch(
            connectionFile: "/k", container: "c", engineEnvironment: environment, user: user)
        let container = try Container(inspect: Array(#"[{"Id": "ab12"}]"#.utf8))
        return try LaunchOrder(launch: launch, container: container).spawns(of: "k", key: .random())[0].login
    }

    /// Whoever has the caller's id is called what the caller is, wherever the id was written.
    @Test func theCallersNameIsTheCallersIds() throws {
        let passwd = try String(contentsOfFile: "/etc/passwd", encoding: .utf8)
        let name = Account(uid: getuid(), in: passwd).name ?? "by the environment"
        let environment = ["LOGNAME": "by the environment", "USER": "not this"]
        #expect(try login("\(getuid()):\(getgid())", environment) == name)
        #expect(try login("\(getuid())", environment) == name)
        #expect(try login("\(getuid() + 1):0", environment) == "")
        #expect(try login("ada", environment) == "")
        #expect(try login(nil, environment) == nil)
    }

    /// All interfaces are for what may be behind mapped ports, and for nothing else.
    @Test(arguments: [
        ("env A=1 python3 -m ipykernel_launcher", false), ("/opt/x/bin/python -m bash_kernel", false),
        ("conda run -n x python -m ipykernel", false), ("R --slave -e 'IRkernel::main()'", false),
        ("julia kernel.jl", false), ("xcpp", false), ("no-such-program", false),
        ("docker run -P image python -m ipykernel", true), ("sudo -E podman run image", true),
        ("/usr/bin/docker-compose run --service-ports x", true), ("['docker', 'compose', 'run', 'x']", true),
        ("sh -c 'cd /x; docker run image'", true), ("sh -c 'exec python -m ipykernel'", false),
        ("sh start", true), ("SCRIPT", true), ("env A=1 SCRIPT", true), ("./script", true), ("PYTHON", false),
        ("python-docker -m x", false),
    ])
    func aHostCommandListensWhereItNeeds(command: String, isEverywhere: Bool) throws {
        let folder = "/tmp/kr-order-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, interpreter) in [("script", "/usr/bin/env bash"), ("python-script", "/usr/bin/python3")] {
            try "#!\(interpreter)\n".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            chmod("\(folder)/\(name)", 0o755)
        }
        let text = command.replacing("SCRIPT", with: "\(folder)/script")
            .replacing("PYTHON", with: "\(folder)/python-script")
        var launch = ControlRequest.Launch(
            connectionFile: "/k", folder: folder, command: text, transport: .tcp,
            hostEnvironment: ["PATH": "/usr/bin:/bin"])
        func listens() throws -> String? {
            let ports = HostCommandPorts(
                inside: StandardPorts.byChannel, outside: StandardPorts.byChannel,
                ways: [StandardPorts.byChannel])
            return try LaunchOrder(launch: launch, container: .host, hostPorts: ports)
                .spawns(of: "k", key: .random())[0].listen?.ip
        }
        #expect(try listens() == (isEverywhere ? "0.0.0.0" : "127.0.0.1"))
        // kernel.json may know better.
        launch.route = .line
        #expect(try listens() == "127.0.0.1")
        launch.route = .published
        #expect(try listens() == "0.0.0.0")
        launch.transport = .ipc
        #expect(try listens() == nil)
    }
}
