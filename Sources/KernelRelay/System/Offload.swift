/// Runs what blocks on a thread of its own: the few threads on which tasks run must never wait.
package func offload<Value: Sendable>(
    _ name: String, _ work: @escaping @Sendable () -> Result<Value, RelayError>
) async throws(RelayError) -> Value {
    let result: Result<Value, RelayError> = await withCheckedContinuation { continuation in
        do throws(RelayError) {
            try Thread(name: name) { continuation.resume(returning: work()) }.detach()
        } catch {
            continuation.resume(returning: .failure(error))
        }
    }
    return try result.get()
}
