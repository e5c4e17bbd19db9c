import KernelRelay
import Testing

/// Whatever is in the way of a kernel is to be told within three seconds: at the worst, what is noticed last is noticed just
/// after it was looked for.
@Suite struct PromptnessTests {
    private static let most: Duration = .seconds(3)

    @Test func aKernelThatIsStuck() {
        #expect(Tuning.beatEvery + Tuning.beatPatience + Tuning.lookEvery < Self.most)
        // Among many kernels one that nobody waits for.
        #expect(Tuning.beatAtLeastEvery + Tuning.beatPatience < Self.most * 2)
    }

    /// The gate was asked a moment ago; it is asked again, is silent, and the engine hangs; then somebody must look.
    @Test func anEngineThatHangs() {
        let known = Tuning.watchEvery + Tuning.gateIsSilent + Tuning.watchEngine
        #expect(known + Tuning.lookEvery < Self.most)
    }

    @Test func aSlowClient() {
        #expect(Tuning.clientIsSlow + Tuning.lookEvery < Self.most)
    }
}
