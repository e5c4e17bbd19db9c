@preconcurrency import Dispatch
import Glibc

/// Signals as events of a task.
package enum SignalWatch {
    /// The first of these signals that comes; they do nothing else from now on.
    package static func first(of numbers: [Int32]) -> AsyncStream<Int32> {
        AsyncStream { continuation in
            let sources = numbers.map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number)
                source.setEventHandler { continuation.yield(number) }
                source.resume()
                return source
            }
            continuation.onTermination = { _ in
                for source in sources { source.cancel() }
            }
        }
    }
}
