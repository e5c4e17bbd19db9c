import Testing

@testable import KernelRelay

/// How far a launch came, and what bounds it.
@Suite struct LaunchPhasesTests {
    @Test func eachPhaseEndsTheOneBefore() {
        let start = ContinuousClock.now
        var phases = LaunchPhases()
        #expect(phases.lines.isEmpty && phases.total == nil)
        for (index, name) in LaunchPhases.Name.allCases.enumerated() {
            phases.begin(name, at: start + .milliseconds(index * 10))
            #expect(phases.current == name && phases.total == nil)
        }
        #expect(phases.lines.last == "connect: not done")
        phases.end(at: start + .milliseconds(10 * LaunchPhases.Name.allCases.count))
        #expect(phases.done.map(\.name) == LaunchPhases.Name.allCases)
        #expect(phases.done.allSatisfy { $0.duration == .milliseconds(10) })
        #expect(phases.total == .milliseconds(70) && phases.current == nil)
        #expect(phases.lines.first == "bind: done in 10 ms")
        phases.end(at: start + .seconds(1))
        #expect(phases.total == .milliseconds(70), "it ends once")
    }

    private static let reason = Refusal(.launchTimeout, "1 s")

    @Test func aStepGivesWhatItGives() async throws {
        let limit = LaunchLimit(.seconds(100))
        #expect(try await limit.step { () async throws(Refusal) in 3 } == 3)
        await #expect(throws: Refusal(.gateLost, "x")) {
            try await limit.step { () async throws(Refusal) -> Int in throw Refusal(.gateLost, "x") }
        }
        #expect(!limit.isGivenUp)
    }

    /// Whatever it waits for.
    @Test func aStepThatIsGivenUpIsNotWaitedFor() async throws {
        let limit = LaunchLimit(.seconds(100))
        let (stream, sink) = AsyncStream<Bool>.makeStream()
        Task { limit.giveUp(Self.reason) }
        await #expect(throws: Self.reason) {
            try await limit.step { () async throws(Refusal) -> Int in
                await withTaskCancellationHandler {
                    await withCheckedContinuation { (never: CheckedContinuation<Int, Never>) in
                        Task {
                            for await _ in stream { break }
                            never.resume(returning: 1)
                        }
                    }
                } onCancel: {
                    sink.yield(true)
                }
            }
        }
        // The first reason stays, and no other step begins to be waited for.
        limit.giveUp(Refusal(.gateLost, "later"))
        await #expect(throws: Self.reason) {
            try await limit.step { () async throws(Refusal) -> Int in
                try? await Task.sleep(for: .seconds(1000))
                return 1
            }
        }
        #expect(limit.isGivenUp)
    }
}
