import Host
import RelayLink

/// How everything is, as the relayd of a folder says it.
package enum StatusQuestion {
    /// - Parameter history: whether to have the figures of the last ten minutes too.
    package static func ask(_ folder: RuntimeFolder, history: Bool) async throws -> JSON {
        let client = try ControlClient(folder)
        guard case .status(_, let report, _) = try await client.ask(.status(request: 1, history: history))
        else {
            throw HostError(.relaydProtocol, "it answered another question")
        }
        return report
    }
}
