import CLinux
import Glibc
import RelayLink

/// The kernels of a gate: starts them, signals them, sees them end.
///
/// Concurrency: confined to the gate's thread.
final class Nursery {
    let loop: EventLoop
    private let registry: Registry
    private let environment: Environment
    private var kernels: [String: Kernel] = [:]
    /// Ids of ended kernels, oldest first.
    private var ended: [String] = []

    /// What the gate wants to know.
    var onReport: (GateReport) -> Void = { _ in }
    var onLeaderExit: (String) -> Void = { _ in }
    var onEnd: (Kernel) -> Void = { _ in }
    /// How a kernel's program gets to the ssh agent on relayd's host; nothing while it cannot.
    var streams: Streams?
    /// The link's reader is behind: raw output is left where it is.
    var isCongested = false {
        didSet { if oldValue && !isCongested { for kernel in kernels.values { kernel.readOutputs() } } }
    }

    init(_ loop: EventLoop, registry: Registry, environment: Environment = .current) {
        self.loop = loop
        self.registry = registry
        self.environment = environment
    }

    var all: [Kernel] { kernels.values.sorted { $0.id < $1.id } }
    var hasRunning: Bool { kernels.values.contains { $0.exit == nil } }

    /// Whether somebody is connected to a kernel by a way that does not lead by the gate, and shows it.
    var isHeld: Bool { kernels.values.contains { $0.exit == nil && $0.folder.isHeld } }

    func kernel(_ id: String) throws(GateError) -> Kernel {
        guard let kernel = kernels[id] else { throw GateError(.kernelUnknown, printable(id)) }
        return kernel
    }

    func spawn(_ launch: GateRequest.Launch) throws(GateError) -> Kernel {
        if let same = kernels[launch.kernel], same.exit == nil {
            throw GateError(.kernelExists, launch.kernel)
        }
        guard let most = launch.mostKernels else { return try start(launch) }
        guard let turn = try Census.turn() else { throw GateError(.full, "another gate starts one") }
        defer { close(turn) }
        let count = Census.kernels(besides: all)
        guard count < most else { throw GateError(.full, "\(count) of \(most)") }
        return try start(launch)
    }

    private func start(_ launch: GateRequest.Launch) throws(GateError) -> Kernel {
        let mark = Mark(kernel: launch.kernel)
        var environment = environment.forKernel(
            adding: launch.env, login: launch.login.map { Login(caller: $0) }, mark: mark.variable)
        let command = try CommandLookup.path(of: launch.argv[0], in: environment, from: launch.cwd)
        let folder = try PrivateFolder(environment)
        do throws(GateError) {
            environment.ensureTemporaryFolder(or: folder.path)
            let place = try ConnectionFile(launch, in: folder)
            let agent = launch.agent ? try agentDoor(of: launch.kernel, in: folder) : nil
            if let agent { environment.values["SSH_AUTH_SOCK"] = agent.path }
            let file = try folder.write(place.json, as: "kernel-\(launch.kernel).json")
            // For a command that has to show the file to somebody else: a container that it starts.
            environment.values["JUPYTER_CONNECTION_FILE"] = file
            let child = try mark.set { () throws(GateError) in
                try Spawn.start(
                    command, argv: launch.argv.map { $0.replacing("{connection_file}", with: file) },
                    environment: environment.lines, folder: launch.cwd)
            }
            let kernel = Kernel(
                launch, folder: folder, connectionFile: file, agent: agent, mark: mark, child: child,
                in: self)
            ended.removeAll { $0 == launch.kernel }
            kernels[launch.kernel] = kernel
            registry.register(launch.kernel, at: place.channels)
            return kernel
        } catch {
            folder.remove()
            throw error
        }
    }

    func signal(_ id: String, _ number: Int32, to target: GateRequest.SignalTarget) throws(GateError) {
        let kernel = try kernel(id)
        guard kernel.hasProcess else { throw GateError(.kernelEnded, id) }
        let failure = kernel.signal(number, to: target)
        if failure != 0 { throw .system("kill", failure) }
    }

    /// Those who wait at their sockets for an agent may try again.
    func letInAtAgentDoors() { for kernel in kernels.values { kernel.agent?.accept() } }

    private func agentDoor(of kernel: String, in folder: PrivateFolder) throws(GateError) -> AgentDoor {
        try AgentDoor(
            in: folder, loop, isOpen: { [weak self] in self?.streams?.isAttached ?? false },
            lead: { [weak self] in self?.streams?.openAgent(of: kernel, $0) })
    }

    func endAll(grace: Duration) { for kernel in kernels.values { kernel.end(grace: grace) } }

    /// Waits for every child that has ended: kernels, and orphans that the gate was given as their parent.
    func reap() {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            if pid < 0, errno == EINTR { continue }
            guard pid > 0 else { return }
            if let kernel = kernels.values.first(where: { $0.pid == pid && $0.hasProcess }) {
                kernel.exited(status: status)
                onLeaderExit(kernel.id)
            }
        }
    }

    // MARK: - What kernels tell

    func report(_ report: GateReport) { onReport(report) }

    func ended(_ kernel: Kernel) {
        ended.append(kernel.id)
        if ended.count > Tuning.mostEnded { kernels[ended.removeFirst()] = nil }
        onEnd(kernel)
    }
}

extension String {
    /// `replacing` of the standard library comes with the whole of its regular expressions.
    fileprivate func replacing(_ word: String, with other: String) -> String {
        let text = Array(utf8)
        let word = Array(word.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index...].starts(with: word) {
                result += other.utf8
                index += word.count
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
