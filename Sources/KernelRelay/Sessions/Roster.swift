import RelayLink
import Synchronization

/// Which kernels of this relayd run in which container: for those who find one full.
///
/// Concurrency: anybody may call it.
final class Roster: Sendable {
    private struct Entry {
        let container: String
        let owner: String
    }

    private let kernels = Mutex<[String: Entry]>([:])

    /// - Parameters:
    ///   - kernel: as `relayd status` and `relayd end` name it.
    ///   - notebook: nothing for a program's, which is named by its connection file.
    func add(_ kernel: String, in container: String, for notebook: String?, file: String) {
        let owner = notebook.map { "\($0) (\(kernel))" } ?? "\(kernel) (no notebook; \(file))"
        kernels.withLock { $0[kernel] = Entry(container: container, owner: owner) }
    }

    func remove(_ kernel: String) { kernels.withLock { _ = $0.removeValue(forKey: kernel) } }

    func names(in container: String) -> [String] {
        kernels.withLock { $0.values.filter { $0.container == container }.map(\.owner) }.sorted()
    }

    /// What runs in a container that is full.
    func text(of container: Container) -> String {
        let names = names(in: container.id)
        let most = Int(container.mostKernels ?? 0)
        let others = most - names.count
        let list = names + (others > 0 ? ["\(others) that others started"] : [])
        let text = RelayLink.printable(list.joined(separator: ", "), limit: 1000)
        return "\(container.name) may have \(most): \(text)"
    }
}
