import RelayLink

/// Where the engine's client looks for its engine, as far as it tells.
package struct EngineEndpoint: Sendable, Equatable {
    package enum Source: Sendable, Equatable {
        case variable
        case context(String)
        /// The client knows no contexts, or keeps them for itself.
        case itself
    }

    package let source: Source
    /// Empty where the client does not tell.
    package let address: String

    /// The Unix socket, where it is one.
    package var socket: String? {
        address.hasPrefix("unix://") ? String(address.dropFirst("unix://".count)) : nil
    }

    /// - Parameters:
    ///   - variable: the value of DOCKER_HOST.
    ///   - answer: name and address of the context in use, with a tab between them; nothing where the client knows none.
    package static func read(variable: String?, answer: String?) -> EngineEndpoint {
        if let variable, !variable.isEmpty { return EngineEndpoint(source: .variable, address: variable) }
        let line = (answer ?? "").prefix { !$0.isNewline }
        let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.count == 2, !parts[0].isEmpty else { return EngineEndpoint(source: .itself, address: "") }
        return EngineEndpoint(source: .context(parts[0]), address: parts[1])
    }
}
