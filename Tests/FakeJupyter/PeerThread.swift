import Glibc

/// A thread that is joined exactly once, by whoever started it.
package final class PeerThread: @unchecked Sendable {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    // Written by init and join alone, which the owner never calls at the same time.
    private var handle = pthread_t()

    package init(_ run: @escaping @Sendable () -> Void) {
        let body = Unmanaged.passRetained(Body(run))
        let failed = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        precondition(failed == 0, "no thread could be started")
    }

    package func join() { pthread_join(handle, nil) }
}
