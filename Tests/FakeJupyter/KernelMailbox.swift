import Synchronization

/// What other threads ask of the kernel's thread.
enum KernelCommand: Sendable {
    case stop(abrupt: Bool)
    case pause(Set<PeerChannel>)
    case send(PeerChannel, [[UInt8]])
}

/// Commands on their way to the kernel's thread, under a lock.
final class KernelMailbox: Sendable {
    private let commands = Mutex<[KernelCommand]>([])

    func put(_ command: KernelCommand) { commands.withLock { $0.append(command) } }

    func take() -> [KernelCommand] {
        commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
    }
}
