import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// A kernel that writes more than its shim reads.
    @Suite struct RawOutputTests {
        private static let bytes = 10_000_000
        private static let flood = "head -c \(bytes) /dev/zero | tr '\\0' x; exit 3"

        @Test func whatNobodyReadsIsDroppedAndCounted() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch(Self.flood))
                try await rig.untilGone(within: .seconds(40))
                let exit = try await shim.exit()
                #expect(exit.cause == .code(3))
                let dropped = shim.notes.split(separator: "\n")
                    .compactMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
                    .reduce(0, +)
                #expect(dropped > 0)
                let received = shim.outputBytes - shim.notes.utf8.count
                #expect(received + dropped == Self.bytes, "each byte is read or counted")
                // What waited in relayd is what the shim got in the end; the socket itself holds some of it.
                let most = Tuning.shimBacklog + Frame.largestPayload + 1 << 20
                #expect(received * 4 / 3 <= most)
            }
        }

        @Test func everythingComesToAShimThatReads() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(
                    rig.launch("head -c 3000000 /dev/zero | tr '\\0' x; exit 3"))
                #expect(try await shim.exit().cause == .code(3))
                #expect(shim.outputBytes == 3_000_000 && shim.notes.isEmpty)
            }
        }

        @Test func aShimThatNeverReadsKeepsNoSession() async throws {
            try await withRig { rig in
                let notebook = try rig.notebook()
                let (shim, _) = try await rig.running(rig.launch(Self.flood, file: notebook.file))
                try await rig.untilNoSession(within: Tuning.farewellToShim + .seconds(40))
                #expect(Rig.areFree(notebook.address))
                shim.close()
            }
        }

        /// The link is one: a shim that does not read must not hold up another's kernel.
        @Test func othersAreNotHeldUp() async throws {
            try await withRig { rig in
                let (loud, _) = try await rig.running(
                    rig.launch("while :; do head -c 1000000 /dev/zero; done", named: "loud"))
                let (quiet, _) = try await rig.running(
                    rig.launch("sleep 0.3; echo here; exit 2", named: "quiet"))
                #expect(try await quiet.exit().cause == .code(2))
                #expect(quiet.outputBytes == 5)
                loud.close()
                try await rig.untilGone("loud")
            }
        }
    }
}
