import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// How launches and kernels end, as a shim hears of it.
    @Suite struct OutcomeTests {
        @Test func anExitCodeAndTheLastWords() async throws {
            try await withRig { rig in
                let (shim, _) = try await rig.running(rig.launch("echo some; echo words >&2; exit 7"))
                let exit = try await shim.exit()
                #expect(exit.cause == .code(7) && exit.left == 0 && !exit.oomKilled)
                #expect(String(decoding: exit.tail, as: UTF8.self).contains("words"))
                #expect(shim.outputBytes == 11 && shim.notes == "words\n")
                #expect(try await shim.isEnded())
                #expect(try await rig.sessions().isEmpty)
            }
        }
    }
}
