import FoundationEssentials
import Glibc
import RelayLink

/// What a gate is asked for on behalf of one launch: a value, made of what kernel.json says and what the container is.
struct LaunchOrder {
    let launch: ControlRequest.Launch
    let container: Container
    /// Of a command on the host.
    var hostPorts: HostCommandPorts?

    /// Where the gate is to listen: as kernel.json says, else as the container's own labels do.
    var ports: [String: UInt16] {
        // Nothing leads to the host's gate but its link.
        if container.isHost { return [:] }
        let isUsual = launch.ports == StandardPorts.byChannel
        return isUsual ? container.labelledPorts ?? launch.ports : launch.ports
    }

    /// The kernel to spawn, in the forms that are to be tried one after the other.
    func spawns(of kernel: String, key: SigningKey) throws(Refusal) -> [GateRequest.Launch] {
        let folder = folder
        return try KernelCommand.candidates(
            launch.command, connectionFile: launch.connectionFile, trailing: launch.trailing,
            entrypoint: container.entrypoint
        ).map { argv in
            GateRequest.Launch(
                kernel: kernel, argv: argv, env: environment, cwd: folder,
                login: login, transport: launch.transport, listen: listen, key: key.text,
                agent: launch.sshAgent != nil, mostKernels: container.mostKernels)
        }
    }

    private var environment: [String: String?] {
        var variables: [String: String?] = (launch.hostEnvironment ?? [:]).mapValues { $0 }
        variables.merge(hostPorts?.variables ?? [:]) { $1 }
        variables.merge(launch.env) { $1 }
        // A pid of the host means nothing in the container.
        variables["JPY_PARENT_PID"] = nil
        return variables
    }

    /// All interfaces where the command maps ports, which it then maps to one of some container's.
    private var listen: GateRequest.Launch.Listen? {
        guard let hostPorts, launch.transport == .tcp else { return nil }
        return .init(
            ip: HostCommand.needsAllInterfaces(launch) ? "0.0.0.0" : "127.0.0.1", ports: hostPorts.inside)
    }

    /// A user that was asked for has a login. relayd is its caller's own: the one of its uid is called what the caller is.
    private var login: String? {
        guard let user = launch.user else { return nil }
        guard user.prefix(while: { $0 != ":" }) == "\(getuid())" else { return "" }
        let passwd = (try? Data(contentsOf: URL(filePath: "/etc/passwd"))) ?? Data()
        if let name = Account(uid: getuid(), in: String(decoding: passwd, as: UTF8.self)).name { return name }
        // Accounts may come from elsewhere than that file.
        let names = [launch.engineEnvironment["LOGNAME"], launch.engineEnvironment["USER"]]
        return names.compactMap(\.self).first { !$0.isEmpty } ?? ""
    }

    /// The notebook's, where the container shows it; nothing for wherever its processes start.
    private var folder: String? {
        if let workdir = launch.workdir { return workdir }
        if container.isHost { return launch.folder }
        guard let real = realpath(launch.folder, nil) else { return nil }
        defer { free(real) }
        return container.folders.withRealPaths.inside(String(cString: real))
    }
}
