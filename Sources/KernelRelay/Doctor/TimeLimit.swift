/// A time for work that may never come to an end.
package enum TimeLimit {
    /// Waits for `work`, but not longer than the limit. It is cancelled then; work that does not heed that is left
    /// behind, and nobody waits for it.
    package static func answer<Value: Sendable>(
        within limit: Duration, _ work: @escaping @Sendable () async -> Value
    ) async -> Value? {
        let (answers, sink) = AsyncStream<Value?>.makeStream()
        let worker = Task { sink.yield(await work()) }
        let timer = Task {
            try? await Task.sleep(for: limit)
            sink.yield(nil)
        }
        defer {
            timer.cancel()
            worker.cancel()
        }
        return await withTaskCancellationHandler {
            // Not bound to this task's cancellation: work that was cancelled still says what it has undone.
            await Task {
                for await answer in answers { return answer }
                return nil
            }.value
        } onCancel: {
            worker.cancel()
        }
    }
}
