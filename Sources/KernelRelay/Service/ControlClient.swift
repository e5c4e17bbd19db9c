import Glibc
import Host
import RelayLink

/// A question to the relayd that runs, and its answer.
package struct ControlClient: ~Copyable {
    private let channel: FrameChannel
    /// Who listens there.
    package let listener: Int32?

    /// Connects to the relayd of a folder.
    package init(_ folder: RuntimeFolder) throws(HostError) {
        guard let descriptor = try UnixStream.connect(to: folder.socket, waiting: true) else {
            throw HostError(.relaydAbsent, folder.socket)
        }
        listener = UnixStream.listener(of: descriptor)
        channel = FrameChannel(descriptor)
    }

    package func ask(_ request: ControlRequest) async throws(Refusal) -> ControlReport {
        var answer: ControlReport?
        var parts: [JSON] = []
        try await listen(request) { report in
            guard case .status(let number, let part, let more) = report else {
                answer = report
                return false
            }
            parts.append(part)
            if !more { answer = .status(request: number, StatusParts.join(parts)) }
            return more
        }
        guard let answer else {
            throw Refusal(HostError(.relaydLost, "it ended before it had answered"))
        }
        return answer
    }

    /// Asks, and hands on every answer until one says that it is the last, or the other side ends the connection.
    ///
    /// - Parameter more: whether to go on.
    package func listen(
        _ request: ControlRequest, _ more: (ControlReport) -> Bool
    ) async throws(Refusal) {
        channel.send(request)
        while let frame = await channel.next() {
            guard let report = try? ControlReport(json: frame.payload) else { continue }
            if case .failed(_, let code, let message, let remedy) = report {
                throw Refusal(code: code, message: message, remedy: remedy)
            }
            if !more(report) { return }
        }
    }

    deinit { channel.close() }
}
