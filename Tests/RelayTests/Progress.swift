import FakeJupyter
import Glibc
import Synchronization

/// Where two threads of a test tell each other how far they are.
final class Progress: Sendable {
    private let begun = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(false)
    private let answered = Atomic<Int>(0)

    var hasEnded: Bool { ended.load(ordering: .acquiring) }
    var answers: Int { answered.load(ordering: .acquiring) }

    func begin() { begun.store(true, ordering: .releasing) }
    func end() {
        begin()
        ended.store(true, ordering: .releasing)
    }
    func count() { answered.add(1, ordering: .acquiringAndReleasing) }

    func awaitBegin() {
        while !begun.load(ordering: .acquiring) { usleep(500) }
    }
}
