import Glibc
import RelayLink

/// What a gate is asked for on behalf of one launch: a value, made of what kernel.json says and what the container is.
struct LaunchOrder {
    let launch: ControlRequest.Launch
    let container: Container

    /// Where the gate is to listen: as kernel.json says, else as the container's own labels do.
    var ports: [String: UInt16] {
        let isUsual = launch.ports == StandardPorts.byChannel
        return isUsual ? container.labelledPorts ?? launch.ports : launch.ports
    }

    /// The kernel to spawn, in the forms that are to be tried one after the other.
    func spawns(of kernel: String, key: SigningKey) throws(Refusal) -> [GateRequest.Launch] {
        let folder = folder
        return try KernelCommand.candidates(
            launch.command, connectionFile: launch.connectionFile, trailing: launch.trailing
        ).map { argv in
            GateRequest.Launch(
                kernel: kernel, argv: argv, env: environment, cwd: folder, transport: launch.transport,
                key: key.text)
        }
    }

    private var environment: [String: String?] {
        var variables: [String: String?] = launch.env.mapValues { $0 }
        // A pid of the host means nothing in the container.
        variables["JPY_PARENT_PID"] = nil
        return variables
    }

    /// The notebook's, where the container shows it; nothing for wherever its processes start.
    private var folder: String? {
        if let workdir = launch.workdir { return workdir }
        guard let real = realpath(launch.folder, nil) else { return nil }
        defer { free(real) }
        return FolderMap.translate(String(cString: real), binds: container.binds, mounts: container.mounts)
    }
}
