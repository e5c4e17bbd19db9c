import Glibc
import Synchronization

/// One answer that a thread owes another: given once, waited for once.
package final class Promise<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let bell: WakeUp

    package init() throws(RelayError) { bell = try WakeUp() }

    package func fulfil(_ value: Value) {
        self.value.withLock { $0 = value }
        bell.ring()
    }

    package func wait() -> Value {
        while true {
            if let value = value.withLock({ $0 }) { return value }
            var watched = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&watched, 1, -1)
        }
    }
}
