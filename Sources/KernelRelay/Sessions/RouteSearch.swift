/// A search for the best way to one kernel, on a thread of its own.
///
/// Concurrency: anybody may cancel it, at any time and more than once.
final class RouteSearch: Sendable {
    private let bell: WakeUp

    init() throws(RelayError) { bell = try WakeUp() }

    /// The best that answers, by those of its endpoints that do.
    ///
    /// - Throws: `KR-ROUTE-NONE`, or `KR-LAUNCH-TIMEOUT` where a gate answers and its kernel does not listen yet, with what
    ///   became of each endpoint; nothing is returned when it was cancelled.
    func best(
        of candidates: [KernelRoutes.Candidate], in container: String,
        until deadline: ContinuousClock.Instant
    ) async throws(RelayError) -> KernelRoutes.Candidate? {
        let bell = bell
        let found = try await offload("kr-probe") {
            Result { () throws(RelayError) in
                var ways: [RouteProbe.Candidate] = []
                for candidate in candidates { ways.append(try .init(candidate.address)) }
                return try RouteProbe.run(
                    ways, deadline: deadline, cancelled: bell.descriptor)
            }
        }
        switch found.outcome {
        case .cancelled: return nil
        case .found(let index, let endpoints):
            return .init(
                route: candidates[index].route, address: try candidates[index].address.limited(to: endpoints))
        case .nothing:
            let reasons = found.failures.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.rawValue)" }
            let isListening = found.failures.values.contains { $0 == .hungUp || $0 == .silent }
            throw RelayError(
                isListening ? .launchTimeout : .routeNone, container, cause: reasons.joined(separator: ", "))
        }
    }

    func cancel() { bell.ring() }
}

extension KernelAddress {
    /// The same by endpoints that are known to answer. Any port of a gate serves any channel.
    fileprivate func limited(to answering: [String]) throws(RelayError) -> KernelAddress {
        guard let credentials, let any = answering.first else { return self }
        return try KernelAddress(
            endpoints: endpoints.mapValues { answering.contains($0) ? $0 : any }, key: key, scheme: scheme,
            credentials: credentials)
    }
}
