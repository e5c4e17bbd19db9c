import Glibc
import Synchronization

/// A thread that is always joined. Starting and joining it are full fences, which is what libzmq asks for when a
/// socket moves to another thread: the burst threads below rest on that.
struct BenchThread: ~Copyable {
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    private var handle = pthread_t()

    init(_ run: @escaping () -> Void) {
        let body = Unmanaged.passRetained(Body(run))
        let failed = pthread_create(
            &handle, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        precondition(failed == 0, "no thread could be started")
    }

    consuming func join() { pthread_join(handle, nil) }
}

/// Says to another thread that it is time to end.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
