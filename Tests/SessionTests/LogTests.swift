import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// The log, by the control socket.
    @Suite struct LogTests {
        private func logs(_ shim: RawShim, within limit: Duration = .seconds(20)) async throws
            -> ControlReport.Logs
        {
            try await shim.take("logs", within: limit) {
                if case .logs(4, let logs) = $0 { logs } else { nil }
            }
        }

        /// Entries for a name of this test's own; the log is one for all that run in this process.
        private func note(_ count: Int, of kernel: String) {
            for number in 0..<count { Log.note("test", ["kernel": kernel, "number": String(number)]) }
        }

        @Test func theLastLinesOfOneKernel() async throws {
            try await withRig { rig in
                let name = rig.mark
                note(100, of: name)
                note(3, of: "other")
                let shim = try rig.shim()
                shim.send(.logs(request: 4, .init(kernel: String(name.prefix(20)), lines: 70)))
                var entries: [LogEntry] = []
                while true {
                    let page = try await logs(shim)
                    #expect(page.entries.count <= Tuning.logPage && page.missed == 0)
                    entries += page.entries
                    if !page.more { break }
                }
                #expect(entries.map { $0.facts["number"] } == (30..<100).map { String($0) })
                #expect(
                    entries.allSatisfy { $0.kernel == name && $0.event == "test" && $0.time.hasSuffix("Z") })
            }
        }

        @Test func nothingIsAnAnswer() async throws {
            try await withRig { rig in
                let shim = try rig.shim()
                shim.send(.logs(request: 4, .init(kernel: rig.mark)))
                #expect(try await logs(shim) == .init(entries: [], more: false))
            }
        }

        @Test func whoFollowsIsToldWhatComes() async throws {
            try await withRig { rig in
                let name = rig.mark
                note(2, of: name)
                let shim = try rig.shim()
                shim.send(.logs(request: 4, .init(kernel: name, lines: 1, follow: true)))
                let first = try await logs(shim)
                #expect(first.entries.map { $0.facts["number"] } == ["1"] && first.more)
                note(3, of: name)
                note(1, of: "other")
                var entries: [LogEntry] = []
                while entries.count < 3 { entries += try await logs(shim).entries }
                #expect(entries.map { $0.facts["number"] } == ["0", "1", "2"])
                // The connection answers other questions meanwhile.
                _ = try await shim.status()
            }
        }

        @Test func aKernelsLifeIsInIt() async throws {
            try await withRig { rig in
                let (shim, keepsake) = try await rig.running(rig.launch("exit 3"))
                _ = try await shim.exit()
                try await rig.untilNoSession()
                let asking = try rig.shim()
                asking.send(.logs(request: 4, .init(kernel: keepsake.kernel)))
                let events = try await logs(asking).entries.map(\.event)
                #expect(events.contains("kernel started") && events.contains("kernel ended"))
            }
        }

        /// Whoever follows and does not read: relayd keeps no more for him, and he learns what he missed.
        @Test func aFollowerWhoDoesNotReadIsNotWaitedFor() async throws {
            try await withRig { rig in
                let name = rig.mark
                let shim = try rig.shim()
                shim.send(.logs(request: 4, .init(kernel: name, lines: 0, follow: true)))
                _ = try await logs(shim)
                let long = String(repeating: "x", count: Tuning.longestFact)
                let all = 20_000
                for number in 0..<all {
                    Log.note("flood", ["kernel": name, "number": String(number), "long": long])
                    // In pieces, so that it is told of many times.
                    if number % 100 == 0 { try await Task.sleep(for: .milliseconds(1)) }
                }
                var heard = 0
                var missed: Int64 = 0
                while heard + Int(missed) < all {
                    let page = try await logs(shim)
                    heard += page.entries.count
                    missed += page.missed
                }
                #expect(heard + Int(missed) == all)
                #expect(missed > 0)
                // What waited for it, and what the socket and the ring hold.
                let most = (Tuning.logBacklog + 4 << 20) / Tuning.longestFact + 2 * Tuning.logEntries
                #expect(heard < most, "\(heard)")
            }
        }

        @Test func whatAKernelWroteToStderrLast() async throws {
            try await withRig { rig in
                let script =
                    "echo not this; echo early >&2; head -c 100000 /dev/zero | tr '\\0' x >&2; echo late >&2; exit 3"
                let (shim, keepsake) = try await rig.running(rig.launch(script))
                _ = try await shim.exit()
                try await rig.untilNoSession()
                let asking = try rig.shim()
                asking.send(.stderr(request: 5, kernel: String(keepsake.kernel.prefix(6))))
                let (data, before) = try await asking.take("stderr") {
                    if case .stderr(5, keepsake.kernel, let data, let before) = $0 {
                        (data, before)
                    } else {
                        nil
                    }
                }
                #expect(data.count == Tuning.stderrTail)
                #expect(before == Int64(100_000 + "early\nlate\n".utf8.count - Tuning.stderrTail))
                #expect(data.suffix(6) == Array("xlate\n".utf8))
                asking.send(.stderr(request: 6, kernel: "nobody"))
                #expect(try await asking.failure() == ErrorCode.kernelUnknown.rawValue)
            }
        }
    }
}
