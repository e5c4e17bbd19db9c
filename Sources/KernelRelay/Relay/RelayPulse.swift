/// What a relay has noticed of its kernel and of itself, and when: read without holding it up.
package struct RelayPulse: Sendable {
    package typealias Instant = ContinuousClock.Instant

    /// When its thread last went round.
    package var turned: Instant?
    /// When the beat went out that is not answered yet.
    package var beatSent: Instant?
    /// The last beat's round trip.
    package var lastBeat: Duration?
    /// For how long its thread may sleep at present: to the next beat.
    package var longestSleep = Tuning.beatEvery
    package var beatsAnswered: Int
    package var beatsLost: Int
    /// Since when the kernel calls itself busy.
    package var busySince: Instant?
    /// Since when a cell waits for its reply.
    package var waitsSince: Instant?
    package var shellReplied: Instant?
    package var published: Instant?
    /// Since when something waits for a client without a break.
    package var heldSince: Instant?
    /// When somebody last made use of the kernel, and whether it is at it now.
    package var used: Instant?
    package var isWorking = false

    package init() {
        beatsAnswered = 0
        beatsLost = 0
    }
}

/// How long things took that a relay saw go and come back.
package struct RelayTimings: Sendable {
    /// Its own heartbeats.
    package var heartbeat: Histogram
    /// From a request's being handed to the kernel to its reply.
    package var shell: Histogram
    package var control: Histogram

    package init(heartbeat: Histogram = .init(), shell: Histogram = .init(), control: Histogram = .init()) {
        self.heartbeat = heartbeat
        self.shell = shell
        self.control = control
    }
}
