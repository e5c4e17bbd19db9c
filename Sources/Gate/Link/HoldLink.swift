import Glibc
import RelayLink

/// A gate's link to the `hold` of its container, where that ends it at some time: the gate tells whether anybody needs it and
/// when its kernels were used, and is told of the end.
///
/// Concurrency: confined to the gate's thread.
final class HoldLink {
    private let descriptor: Int32
    private var watch: EventLoop.Watch?
    private var isOpen = true
    /// The last use that was told, by the ``BootClock``.
    private var told: Int64 = 0
    private var saidNeeded = false

    /// Nothing where nobody waits for it.
    init?(_ loop: EventLoop, _ hear: @escaping (EndRecord) -> Void) {
        guard let (descriptor, mayEndKernels) = HoldPoint.connect() else { return nil }
        self.descriptor = descriptor
        watch = try? loop.watch(descriptor, .readable) { [weak self] _ in
            while let self, isOpen, let bytes = HoldPoint.receive(from: descriptor) {
                if bytes.isEmpty { return close() }
                if mayEndKernels, let record = EndRecord(bytes) { hear(record) }
            }
        }
    }

    /// Said once, and again only where it did not get through.
    func isNeeded(_ isNeeded: Bool) {
        guard isOpen, isNeeded != saidNeeded else { return }
        if HoldPoint.send(NeedRecord(isNeeded: isNeeded).bytes, to: descriptor) { saidNeeded = isNeeded }
    }

    /// A use is told when it is later than the last that was, by a good part of what anybody could mean.
    func used(ago: Int64) {
        let moment = BootClock.now - ago
        guard isOpen, moment >= told + Tuning.useStep else { return }
        told = moment
        HoldPoint.send(UseRecord(ago: ago).bytes, to: descriptor)
    }

    private func close() {
        guard isOpen else { return }
        isOpen = false
        watch?.cancel()
        Glibc.close(descriptor)
    }

    deinit { close() }
}
