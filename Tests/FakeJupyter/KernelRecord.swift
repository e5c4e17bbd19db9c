import Glibc

/// One PLAIN login that the kernel's ZAP handler judged.
package struct KernelLogin: Sendable, Equatable {
    package var user: String
    package var password: String
    package var accepted: Bool
}

/// Everything a fake kernel saw and did, as far as tests ask.
package struct KernelRecord: Sendable {
    /// Whole messages as they came, routing frames included; on iopub the subscriptions as raw frames.
    package var received: [PeerChannel: [[[UInt8]]]] = [:]
    package var badSignatures = 0
    package var logins: [KernelLogin] = []
    /// Messages handed to the iopub socket.
    package var published = 0
    /// How often iopub had no room and the kernel had to wait.
    package var pauses = 0
    /// Replies that no connected peer could be found for.
    package var unroutable = 0
    /// An error that ended the kernel's thread.
    package var failure: String?
    package var isBound = false
    /// Channels that are not read at present.
    package var paused: Set<PeerChannel> = []
    /// The thread has ended and its ports are free.
    package var exited = false

    package func messages(on channel: PeerChannel) -> [SignedMessage] {
        (received[channel] ?? []).compactMap(SignedMessage.init(frames:))
    }

    package func types(on channel: PeerChannel) -> [String] { messages(on: channel).map(\.type) }
}

/// The record under a lock, with a condition that is signalled at each change.
///
/// Concurrency: the kernel's thread writes, any thread reads or waits. `@unchecked` because the mutex, not the
/// compiler, guards `value`; it is never touched outside `locked`.
final class KernelLedger: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value = KernelRecord()

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    func update(_ body: (inout KernelRecord) -> Void) {
        locked {
            body(&value)
            pthread_cond_broadcast(changed)
        }
    }

    var snapshot: KernelRecord { locked { value } }

    func wait(milliseconds: Int, until done: (KernelRecord) -> Bool) -> Bool {
        var limit = timespec()
        clock_gettime(CLOCK_MONOTONIC, &limit)
        limit.tv_sec += milliseconds / 1000
        limit.tv_nsec += milliseconds % 1000 * 1_000_000
        if limit.tv_nsec >= 1_000_000_000 {
            limit.tv_sec += 1
            limit.tv_nsec -= 1_000_000_000
        }
        return locked {
            while !done(value) {
                if pthread_cond_timedwait(changed, mutex, &limit) != 0 { return done(value) }
            }
            return true
        }
    }
}
