import Synchronization

/// Runs `body` on `count` threads at once and returns when all have ended; throws the first error of any.
package func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let failure = FirstFailure()
    let threads = (0..<count).map { index in
        PeerThread {
            do { try body(index) } catch { failure.note("thread \(index): \(error)") }
        }
    }
    for thread in threads { thread.join() }
    if let text = failure.text { throw PeerError(text) }
}

private final class FirstFailure: Sendable {
    private let stored = Mutex<String?>(nil)
    var text: String? { stored.withLock { $0 } }
    func note(_ text: String) { stored.withLock { $0 = $0 ?? text } }
}
