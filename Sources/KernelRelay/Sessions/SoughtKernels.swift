import Synchronization

/// Kernels of earlier relayds whose shims live, whether or not they could be taken up again so far. To a gate they are
/// kernels that nobody claims.
///
/// Concurrency: anybody may call it.
final class SoughtKernels: Sendable {
    private let kernels = Mutex<Set<String>>([])

    func add(_ kernel: String) { _ = kernels.withLock { $0.insert(kernel) } }
    func remove(_ kernel: String) { _ = kernels.withLock { $0.remove(kernel) } }
    func contains(_ kernel: String) -> Bool { kernels.withLock { $0.contains(kernel) } }
}
