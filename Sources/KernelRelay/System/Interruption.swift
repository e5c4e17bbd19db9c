import Dispatch
import Glibc

/// Ctrl-C for work that must not be left half done: the task is cancelled, and so comes to its own end.
package enum Interruption {
    /// Runs `work`; SIGINT, SIGTERM and SIGHUP cancel it as long as it runs.
    package static func cancelling<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task { try await work() }
        let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            // Else the signal would end the program before Dispatch sees it.
            let before = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { task.cancel() }
            source.resume()
            return (number, before, source)
        }
        defer {
            for (number, before, source) in sources {
                source.cancel()
                signal(number, before)
            }
        }
        return try await task.value
    }
}
