import CLinux
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

/// What is kept of a kernel from one look to the next.
@Suite struct KernelRecordTests {
    private let session: KernelSession
    private let began = ContinuousClock.now

    init() throws {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        close(ends[1])
        var template = Array("/tmp/kr-record-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            unlink("\(folder)/secret")
            rmdir(folder)
        }
        let launch = ControlRequest.Launch(
            connectionFile: "/x", container: "dev", engine: ["docker"], engineEnvironment: [:], folder: "/",
            env: [:])
        session = KernelSession(
            launch, keepsake: nil, shim: FrameChannel(ends[0]),
            gates: GatePool(secret: try GateSecret(folder: folder)))
    }

    private func seen(
        _ seconds: Double, _ change: (inout Observation) -> Void = { _ in }
    ) -> Observation {
        var seen = Observation(
            kernel: "k", facts: LaunchFacts(container: "dev"), now: began + .seconds(seconds))
        seen.isConnected = true
        seen.pulse = RelayPulse()
        change(&seen)
        return seen
    }

    private func paused(_ seconds: Double) -> Observation {
        seen(seconds) {
            var sight = GateSight()
            sight.fellSilent(at: began)
            sight.container = .state(.paused)
            sight.isContainerKnown = true
            $0.sight = sight
        }
    }

    @Test func verdictsAndSinceWhen() {
        var record = KernelRecord(session)
        #expect(record.verdict.word == .starting)
        let news = [
            record.note(seen(1)), record.note(seen(2)),
            record.note(seen(3) { $0.pulse?.busySince = began + .seconds(2.5) }),
        ]
        #expect(news == [true, false, true])
        #expect(record.verdict.word == .busy)
        #expect(record.since == began + .seconds(2.5), "it began before it was seen")
    }

    /// Whoever looked first may come last: what he saw is no news.
    @Test func whatIsOlderChangesNothing() {
        var record = KernelRecord(session)
        _ = record.note(seen(1))
        _ = record.note(paused(5))
        let since = record.since
        let isNews = record.note(seen(4))
        #expect(!isNews, "it was well a moment before")
        #expect(record.verdict.word == .containerPaused && record.since == since)
        _ = record.note(seen(6))
        #expect(record.verdict.word == .ok)
    }

    /// A kernel with a cell, and one with which something is the matter, are looked at more often.
    @Test func whoIsWatched() {
        var record = KernelRecord(session)
        _ = record.note(seen(1))
        #expect(!record.isWatched)
        _ = record.note(seen(2) { $0.pulse?.busySince = began })
        #expect(record.isWatched)
        _ = record.note(seen(3) { $0.pulse?.waitsSince = began + .seconds(3) })
        #expect(record.isWatched && record.verdict.word == .ok)
        _ = record.note(paused(4))
        #expect(record.isWatched)
        _ = record.note(seen(5))
        #expect(!record.isWatched)
    }
}
