import Foundation
import Glibc
import Host
import KernelRelay
import RelayLink
import Testing

/// What a test waits for did not come.
struct Silence: Error, CustomStringConvertible {
    let description: String
}

/// Looks again until `look` finds something. It never holds up the thread: relayd runs on the same few.
func eventually<Result>(
    _ what: String, within limit: Duration = .seconds(20), _ look: () async throws -> Result?
) async throws -> Result {
    let end = ContinuousClock.now + limit
    while true {
        if let result = try await look() { return result }
        if ContinuousClock.now > end { break }
        try await Task.sleep(for: .milliseconds(3))
    }
    throw Silence(description: "\(what) did not happen within \(limit)")
}

/// Whether some work ends in time. It is not waited for when it does not.
func ends(within limit: Duration, _ work: @escaping @Sendable () async -> Void) async -> Bool {
    let (stream, sink) = AsyncStream<Bool>.makeStream()
    Task {
        await work()
        sink.yield(true)
    }
    Task {
        try? await Task.sleep(for: limit)
        sink.yield(false)
    }
    for await isOver in stream { return isOver }
    return false
}

/// A shim, or a person with a question, as relayd sees it: frames on the control socket.
///
/// Concurrency: used by one task at a time. It reads only when it is asked for the next report.
final class RawShim: @unchecked Sendable {
    private var descriptor: Int32
    private var decoder = FrameDecoder()
    private(set) var outputBytes = 0
    private(set) var notes = ""

    init(_ socket: String) throws {
        descriptor = try #require(try UnixStream.connect(to: socket, waiting: true))
    }

    deinit { close() }

    /// As a shim that is killed does.
    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    func send(_ request: ControlRequest) { raw(Frame(payload: request.json).encoded!) }

    func raw(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The next report; nothing when relayd has ended the connection.
    func next(within limit: Duration = .seconds(20)) async throws -> ControlReport? {
        try await eventually("a report", within: limit) { () -> ControlReport?? in
            while true {
                if let frame = try decoder.next() { return .some(try ControlReport(json: frame.payload)) }
                switch readOnce() {
                case .some(true): continue
                case .some(false): return .some(nil)
                case nil: return nil
                }
            }
        }
    }

    /// Whether more has come; nothing where that is not known yet.
    private func readOnce() -> Bool? {
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { chunk in
            let count = recv(descriptor, chunk.baseAddress, chunk.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EAGAIN || errno == EINTR { return nil }
            if count > 0 { decoder.feed(chunk[..<count]) }
            return count > 0
        }
    }

    /// The first report that `pick` wants; raw output before it is counted, anything else is an error.
    func take<Result>(
        _ what: String, within limit: Duration = .seconds(20), _ pick: (ControlReport) -> Result?
    ) async throws -> Result {
        let end = ContinuousClock.now + limit
        while true {
            guard let report = try await next(within: end - .now) else {
                throw Silence(description: "the connection ended before \(what)")
            }
            if let result = pick(report) { return result }
            guard case .output(let stream, let data) = report else {
                throw Silence(description: "\(report) came before \(what)")
            }
            outputBytes += data.count
            if stream == .stderr { notes += String(decoding: data, as: UTF8.self) }
        }
    }

    // MARK: - What shims say and hear

    func launch(_ launch: ControlRequest.Launch) { send(.launch(request: 1, launch)) }

    func launched() async throws -> ControlRequest.Keepsake {
        try await take("launched") { if case .launched(1, let keepsake) = $0 { keepsake } else { nil } }
    }

    func exit(within limit: Duration = .seconds(20)) async throws -> GateReport.Exit {
        try await take("exited", within: limit) { if case .exited(let exit) = $0 { exit } else { nil } }
    }

    /// The code of a failure.
    func failure(within limit: Duration = .seconds(20)) async throws -> String {
        try await take("failed", within: limit) {
            if case .failed(_, let code, _, _) = $0 { code } else { nil }
        }
    }

    func status() async throws -> JSON {
        send(.status(request: 7))
        return try await take("status") { if case .status(7, let status, _) = $0 { status } else { nil } }
    }

    /// Waits until relayd has ended the connection, and nothing came before.
    func isEnded() async throws -> Bool { try await next() == nil }
}
