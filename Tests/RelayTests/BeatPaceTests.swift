import FakeJupyter
import Glibc
import KernelRelay
import Testing

extension HeavyTests {
    /// How far apart heartbeats are where there are many relays. In a process of its own, whose relays are counted.
    @Suite struct BeatPaceTests {
        @Test func kernelsAtRestTakeTurns() async {
            await #expect(processExitsWith: .success) {
                Descriptors.raiseLimit()
                let rig = try Rig()
                defer { rig.end() }
                let client = try rig.client()
                #expect(rig.relay.pulse.longestSleep == Tuning.beatEvery)
                let others = try (1..<120).map { _ in
                    try Relay(front: PeerAddress.loopback(key: "front").info())
                }
                let turn = Tuning.beatsApart * 120
                #expect(turn > Tuning.beatEvery)
                #expect(rig.waits { $0.longestSleep == turn })
                let (begun, answered) = (ContinuousClock.now, rig.relay.pulse.beatsAnswered)
                #expect(rig.waits { $0.beatsAnswered >= answered + 2 })
                #expect(begun.duration(to: .now) > turn)

                // While somebody waits for it, and for a while after.
                let cell = SignedMessage("execute_request", session: "c")
                rig.publish(state: "busy", of: cell.header)
                #expect(rig.waits { $0.busySince != nil && $0.longestSleep == Tuning.beatEvery })
                rig.publish(state: "idle", of: cell.header)
                #expect(rig.waits { $0.busySince == nil && $0.longestSleep == turn })
                _ = try client.ask("comm_info_request", timeout: 15_000)
                #expect(rig.waits { $0.longestSleep == Tuning.beatEvery })
                for relay in others { relay.stop(listening: .zero) }
            }
        }
    }
}
