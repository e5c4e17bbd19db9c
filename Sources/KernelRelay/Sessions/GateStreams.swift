import CLinux
import Dispatch
import Glibc
import Host
import RelayLink

/// The streams of one gate's links: the tunnels of its kernels, and their ways to the ssh agent of this host.
///
/// A tunnel is a Unix socket in relayd's folder, for one kernel, that leads to the gate's handshake as an exposed port
/// does; a relay connects to it as to any other place. It outlives the links: while one is lost nobody is let in, and
/// the connections that there are wait for the next.
///
/// Concurrency: everything happens on one serial queue, which is also that of every channel to this gate: the bytes of a
/// stream go from the one socket to the other without a change of threads.
package final class GateStreams: @unchecked Sendable {
    package let queue = DispatchQueue(label: "kr-link")
    // On the queue alone:
    private var table: StreamTable!
    private var doors: [String: Door] = [:]
    /// Where a kernel's connections to its agent lead.
    private var agents: [String: String] = [:]

    private final class Door {
        let listener: UnixListener
        var watch: SocketWatch?
        init(_ listener: UnixListener) { self.listener = listener }
    }

    package init() {
        let host = StreamTable.Host(
            watch: { [queue] descriptor, changed in
                SocketWatch(descriptor, on: queue) { changed($0, $1, false) }
            },
            again: { [queue] in
                let turn = Turn(take: $0)
                queue.async { turn.take() }
            },
            accept: { [weak self] in self?.accept($0) })
        table = StreamTable(.relayd, host)
    }

    /// Made and called on the queue.
    private struct Turn: @unchecked Sendable {
        let take: () -> Void
    }

    private func onQueue<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }

    // MARK: - Links

    /// What the gate is told when a link begins.
    func offer() async -> StreamOffer { await onQueue { self.table.offer } }

    /// A link has begun, and nobody has read on it since the gate's welcome.
    func attach(to channel: FrameChannel, _ theirs: StreamOffer) async {
        await onQueue {
            channel.streams = self.table
            self.table.attach(to: channel, theirs)
            for kernel in self.doors.keys { self.letIn(kernel) }
        }
    }

    /// The gate is gone, or is let go of.
    func close() async {
        await onQueue {
            self.table.closeAll()
            for kernel in Array(self.doors.keys) { self.shut(kernel) }
        }
    }

    // MARK: - Tunnels

    /// Where a kernel's tunnel begins from now on, as libzmq connects to it.
    func openTunnel(for kernel: String, in folder: String) async throws(RelayError) -> String {
        let path = Self.path(of: kernel, in: folder)
        let endpoint = "ipc://\(path)"
        try Endpoint.check(endpoint)
        let result: Result<Void, RelayError> = await onQueue {
            Result { () throws(RelayError) in
                if self.doors[kernel] == nil { try self.open(kernel, path) }
            }
        }
        try result.get()
        return endpoint
    }

    private func open(_ kernel: String, _ path: String) throws(RelayError) {
        let door = Door(try UnixListener(path))
        door.watch = SocketWatch(door.listener.descriptor, on: queue) { [weak self] _, _ in
            self?.letIn(kernel)
        }
        door.listener.handOver()
        doors[kernel] = door
        letIn(kernel)
    }

    static let prefix = "tunnel-"
    private static func path(of kernel: String, in folder: String) -> String {
        "\(folder)/\(prefix)\(kernel)"
    }

    /// Who waits before a closed door is let in when there is a link again.
    private func letIn(_ kernel: String) {
        guard let door = doors[kernel] else { return }
        while table.isAttached {
            let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let descriptor = accept4(door.listener.descriptor, nil, nil, flags)
            if descriptor < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                // Without a descriptor for it nothing would change until one is free.
                if errno != EAGAIN { return letInLater(kernel) }
                break
            }
            guard UnixStream.peer(of: descriptor) == getuid() else {
                Glibc.close(descriptor)
                continue
            }
            table.open(.ports, descriptor, owner: kernel)
        }
        if table.isAttached { door.watch?.await(read: true, write: false) }
    }

    private func letInLater(_ kernel: String) {
        queue.asyncAfter(deadline: .now() + Tuning.tunnelRests.seconds) { [weak self] in self?.letIn(kernel) }
    }

    /// A kernel has no use for it any more.
    func closeTunnel(of kernel: String) async {
        await onQueue {
            self.shut(kernel)
            self.table.close(owner: kernel)
        }
    }

    private func shut(_ kernel: String) {
        guard let door = doors.removeValue(forKey: kernel) else { return }
        door.listener.withdraw()
        door.watch?.close()
    }

    // MARK: - The agent

    /// Leads a kernel's connections to the agent that listens there; nothing ends that.
    func setAgent(of kernel: String, to path: String?) async {
        await onQueue {
            self.agents[kernel] = path
            if path == nil { self.table.close(owner: Self.agentOwner(kernel)) }
        }
    }

    /// A tunnel that is closed leaves the agent alone.
    private static func agentOwner(_ kernel: String) -> String { "agent/\(kernel)" }

    private func accept(_ purpose: StreamPurpose) -> (descriptor: Int32, owner: String)? {
        guard case .agent(let kernel) = purpose, let path = agents[kernel],
            table.count(of: Self.agentOwner(kernel)) < Tuning.mostAgentStreams,
            let descriptor = try? UnixStream.connect(to: path, waiting: false)
        else { return nil }
        return (descriptor, Self.agentOwner(kernel))
    }
}
