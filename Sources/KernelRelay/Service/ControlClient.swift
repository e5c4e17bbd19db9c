import Glibc
import Host
import RelayLink

/// A question to the relayd that runs, and its answer.
package struct ControlClient: ~Copyable {
    private let channel: FrameChannel

    /// Connects to the relayd of a folder.
    package init(_ folder: RuntimeFolder) throws(HostError) {
        guard let descriptor = try UnixStream.connect(to: folder.socket, waiting: true) else {
            throw HostError(.relaydAbsent, folder.socket)
        }
        channel = FrameChannel(descriptor)
    }

    package func ask(_ request: ControlRequest) async throws(Refusal) -> ControlReport {
        channel.send(request)
        while let frame = await channel.next() {
            guard let report = try? ControlReport(json: frame.payload) else { continue }
            if case .failed(_, let code, let message, let remedy) = report {
                throw Refusal(code: code, message: message, remedy: remedy)
            }
            return report
        }
        throw Refusal(HostError(.relaydLost, "it ended before it had answered"))
    }

    deinit { channel.close() }
}
