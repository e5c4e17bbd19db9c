import CLinux
import Glibc
import Synchronization

/// One joined POSIX thread.
///
/// Concurrency: the body runs on the new thread alone. `join` may be called by anybody and any number of
/// times; the lock lets one caller join and the others wait for that. Every signal is blocked in it: signals belong to the program that embeds the relay.
package final class Thread: Sendable {
    /// Nothing once the thread is joined.
    private let handle: Mutex<pthread_t?>

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// The name is cut to the 15 bytes that Linux keeps.
    package init(name: String, _ run: @escaping @Sendable () -> Void) throws(RelayError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 * 1024)

        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        // A fault belongs to the thread that made it.
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP] { sigdelset(&all, fault) }
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                let body = Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
                pthread_setname_np(pthread_self(), String(body.name.prefix(15)))
                body.run()
                return nil
            }, body.toOpaque())
        if failure != 0 {
            body.release()
            throw .system("pthread_create", failure)
        }
        handle = Mutex(thread)
    }

    /// Lets the thread end unseen. For work that has its own way to say that it is done.
    package func detach() {
        handle.withLock { handle in
            if let thread = handle.take() { pthread_detach(thread) }
        }
    }

    package func join() {
        handle.withLock { handle in
            if let thread = handle.take() { pthread_join(thread, nil) }
        }
    }
}
