import Glibc
import RelayLink

/// A kernel's `SSH_AUTH_SOCK`: a socket in its private folder, whose connections lead to the agent on relayd's host.
///
/// Nobody is let in while there is no link; who connects then waits for the next.
///
/// Concurrency: confined to the gate's thread.
final class AgentDoor {
    let path: String
    private let listener: Int32
    private var watch: EventLoop.Watch?
    /// Whether a connection could be led on now.
    private let isOpen: () -> Bool
    private let lead: (Int32) -> Void

    init(
        in folder: PrivateFolder, _ loop: EventLoop, isOpen: @escaping () -> Bool,
        lead: @escaping (Int32) -> Void
    ) throws(GateError) {
        path = "\(folder.path)/\(PrivateFolder.agent)"
        self.isOpen = isOpen
        self.lead = lead
        listener = try Sockets.listen(path: path)
        do throws(GateError) {
            watch = try loop.watch(listener, .readable) { [weak self] _ in self?.accept() }
        } catch {
            Glibc.close(listener)
            throw error
        }
    }

    func accept() {
        while isOpen(), case .accepted(let descriptor) = Sockets.accept(from: listener) { lead(descriptor) }
    }

    func close() {
        guard let watch else { return }
        watch.cancel()
        self.watch = nil
        Glibc.close(listener)
    }

    deinit { close() }
}
