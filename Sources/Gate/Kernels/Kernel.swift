import Glibc
import RelayLink

/// One kernel: its process, what it prints, and how it comes to its end.
///
/// Concurrency: confined to the gate's thread.
final class Kernel {
    let id: String
    let transport: GateRequest.Launch.Transport
    let pid: Int32
    let connectionFile: String
    /// Where its programs find an ssh agent.
    let agent: AgentDoor?
    private(set) var exit: GateReport.Exit?
    /// Requests that are answered once it has ended.
    var ending: [Int64] = []

    private let loop: EventLoop
    let folder: PrivateFolder
    private let tree: Tree
    let mark: Mark
    private var teardown = Teardown()
    private var outputs: [Output] = []
    private var tail = Tail()
    private var cause: GateReport.Exit.Cause?
    private var left: Int64?
    private var isTreeGone = false
    private var wasKilledHere = false
    private let outOfMemoryBefore: Int64?
    private var isOutOfMemory = false
    private weak var nursery: Nursery?

    /// One of the two pipes.
    private final class Output {
        let stream: GateReport.OutputStream
        let descriptor: Int32
        var watch: EventLoop.Watch?
        var mayRead = true
        var isOpen = true

        init(_ stream: GateReport.OutputStream, _ descriptor: Int32) {
            self.stream = stream
            self.descriptor = descriptor
        }

        func close() {
            guard isOpen else { return }
            isOpen = false
            watch?.cancel()
            Glibc.close(descriptor)
        }
    }

    init(
        _ launch: GateRequest.Launch, folder: PrivateFolder, connectionFile: String, agent: AgentDoor?,
        mark: Mark, child: Spawn.Child, in nursery: Nursery
    ) {
        id = launch.kernel
        transport = launch.transport
        pid = child.pid
        self.connectionFile = connectionFile
        self.agent = agent
        self.folder = folder
        self.nursery = nursery
        loop = nursery.loop
        tree = Tree(leader: child.pid, mark: mark)
        self.mark = mark
        outOfMemoryBefore = MemoryGroup.kills
        for output in [Output(.stdout, child.stdout), Output(.stderr, child.stderr)] {
            outputs.append(output)
            output.watch = try? loop.watch(output.descriptor, .readable) { [weak self, weak output] _ in
                guard let output else { return }
                output.mayRead = true
                self?.read(output)
            }
        }
    }

    var state: GateReport.Kernel.State {
        if exit != nil { return .ended }
        return teardown.hasBegun ? .ending : .running
    }

    /// Its process has not been waited for: the pid is still its own.
    var hasProcess: Bool { cause == nil }

    // MARK: - What it prints

    /// Reads on after the link's reader has caught up.
    func readOutputs() { for output in outputs { read(output) } }

    private func read(_ output: Output) {
        for _ in 0..<8 {
            // When nobody is left to write, what is in the pipe is all there will be, and little.
            guard output.isOpen, output.mayRead, let nursery, !nursery.isCongested || isTreeGone else {
                return
            }
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: Tuning.outputBytes) { buffer, count in
                let received = Glibc.read(output.descriptor, buffer.baseAddress, buffer.count)
                if received < 0 { failure = errno }
                count = max(0, received)
            }
            if failure == EAGAIN || failure == EINTR {
                output.mayRead = failure == EINTR
            } else if bytes.isEmpty {
                output.close()
                finishIfOver()
            } else {
                tail.append(bytes)
                nursery.report(.output(kernel: id, stream: output.stream, data: bytes))
            }
        }
        loop.again { [weak self, weak output] in if let output { self?.read(output) } }
    }

    // MARK: - Its end

    func signal(_ number: Int32, to target: GateRequest.SignalTarget) -> Int32 {
        if number == SIGKILL { wasKilledHere = true }
        return kill(target == .group ? -pid : pid, number) == 0 ? 0 : errno
    }

    /// Ends the whole tree.
    func end(grace: Duration) { carryOut(teardown.begin(grace: grace, now: .now)) }

    /// Its process has ended and been waited for.
    func exited(status: Int32) {
        let number = status & 0x7F
        if number == 0 {
            cause = .code(status >> 8 & 0xFF)
        } else {
            cause = .signal(number, coreDumped: status & 0x80 != 0)
        }
        if number == SIGKILL, !wasKilledHere, let before = outOfMemoryBefore, let now = MemoryGroup.kills {
            isOutOfMemory = now > before
        }
        carryOut(teardown.leaderExited(now: .now))
    }

    private func carryOut(_ actions: [Teardown.Action]) {
        for action in actions {
            switch action {
            case .signal(let number):
                if number == SIGKILL, hasProcess { wasKilledHere = true }
                // The group in one call first: it leaves no time to fork between the one and the other.
                if hasProcess { kill(-pid, number) }
                for member in tree.living() ?? [] where member != pid || hasProcess { kill(member, number) }
            case .look(let delay): delay == .zero ? look() : lookLater(delay)
            case .finished(let left): treeIsGone(left)
            }
        }
    }

    private func lookLater(_ delay: Duration) {
        loop.after(delay) { [weak self] in self?.look() }
    }

    private func look() {
        carryOut(teardown.saw(living: tree.living()?.count, now: .now))
    }

    private func treeIsGone(_ left: Int64?) {
        self.left = left
        isTreeGone = true
        loop.after(Tuning.lastWords) { [weak self] in
            for output in self?.outputs ?? [] { output.close() }
            self?.finishIfOver()
        }
        readOutputs()
        finishIfOver()
    }

    /// It has ended when its process, its tree and its output have.
    private func finishIfOver() {
        guard isTreeGone, exit == nil, outputs.allSatisfy({ !$0.isOpen }) else { return }
        agent?.close()
        nursery?.streams?.close(kernel: id)
        folder.remove()
        exit = GateReport.Exit(
            // A leader that the system does not let go of has no status yet; it was killed, and is counted.
            cause: cause ?? .signal(SIGKILL, coreDumped: false), oomKilled: isOutOfMemory, left: left,
            tail: tail.bytes)
        nursery?.ended(self)
    }
}
