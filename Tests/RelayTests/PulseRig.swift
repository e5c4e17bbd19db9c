import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// For those who look at what a relay notices of its kernel.
extension Rig {
    /// Waits until the pulse is as `done` wants it.
    func waits(until done: (RelayPulse) -> Bool) -> Bool {
        let deadline = Deadline(milliseconds: 15_000)
        while !deadline.passed {
            if done(relay.pulse) { return true }
            usleep(5000)
        }
        return done(relay.pulse)
    }

    /// When it was used last; what comes from now on is of another round of the relay's, and so has another time.
    func lastUse() -> ContinuousClock.Instant? {
        #expect(
            waits { pulse in
                guard let turned = pulse.turned else { return false }
                return pulse.used.map { $0 < turned } ?? true
            })
        return relay.pulse.used
    }

    /// What the kernel says of itself, and because of which request.
    func publish(state: String, of header: [UInt8]) {
        kernel.publish(
            SignedMessage(
                "status", session: "k", content: "{\"execution_state\": \"\(state)\"}", parentHeader: header))
    }
}
