import Synchronization

/// What bounds one attempt to launch: nobody waits for a step of it any longer once it was given up, whether its time is
/// over, somebody interrupted it or the session ends. A step that is under way then goes on alone, told that nobody wants
/// it, and within limits of its own.
///
/// Concurrency: steps are waited for by one task; anybody may give up, at any time and more than once.
final class LaunchLimit: Sendable {
    private struct State {
        var reason: Refusal?
        var abandon: (@Sendable (Refusal) -> Void)?
    }

    let deadline: ContinuousClock.Instant
    private let state = Mutex(State())

    init(_ limit: Duration) { deadline = .now + limit }

    /// The first reason is the one that counts.
    func giveUp(_ reason: Refusal) {
        let abandon = state.withLock { state in
            if state.reason == nil { state.reason = reason }
            return state.abandon.take()
        }
        abandon?(reason)
    }

    var isGivenUp: Bool { state.withLock { $0.reason != nil } }

    /// It comes back to the actor that waits, so that nothing can happen between the last look at the reason and what
    /// that actor does next.
    func step<Value: Sendable>(
        isolation: isolated (any Actor)? = #isolation,
        _ work: @escaping @Sendable () async throws(Refusal) -> Value
    ) async throws(Refusal) -> Value {
        let result: Result<Value, Refusal> = await withCheckedContinuation { continuation in
            let answer = Answer(continuation)
            let task = Task {
                do throws(Refusal) {
                    answer.give(.success(try await work()))
                } catch {
                    answer.give(.failure(error))
                }
            }
            let reason = state.withLock { state in
                state.abandon = { reason in
                    answer.give(.failure(reason))
                    task.cancel()
                }
                return state.reason
            }
            if let reason { giveUp(reason) }
        }
        let reason = state.withLock { state in
            state.abandon = nil
            return state.reason
        }
        let value = try result.get()
        // It was given up after the answer had been given, and before anybody got it.
        if let reason { throw reason }
        return value
    }

    /// The first answer counts.
    private final class Answer<Value: Sendable>: Sendable {
        private let continuation: Mutex<CheckedContinuation<Value, Never>?>

        init(_ continuation: CheckedContinuation<Value, Never>) {
            self.continuation = Mutex(continuation)
        }

        func give(_ value: Value) {
            let waiting = continuation.withLock { $0.take() }
            waiting?.resume(returning: value)
        }
    }
}
