import Glibc

/// All that is known of one kernel at one moment. From it a verdict and a ladder are made, and from nothing else.
package struct Observation: Sendable {
    /// Why there is no kernel: the launch failed, or it has ended.
    package struct Trouble: Sendable, Equatable {
        package var code: String
        /// What was found besides, which tells causes of one code apart.
        package var finding: String?
        package var text: String
        /// What to type, where something is to be typed.
        package var command: String?
        /// The same in words.
        package var advice: String

        package init(
            code: String, finding: String? = nil, text: String, command: String? = nil, advice: String
        ) {
            self.code = code
            self.finding = finding
            self.text = text
            self.command = command
            self.advice = advice
        }
    }

    package var now: ContinuousClock.Instant
    /// Since when somebody has looked without being held up; nothing where it was at all times.
    package var watchedSince: ContinuousClock.Instant?
    package let facts: LaunchFacts
    /// The kernel has not been reached yet, for the first time or after a failure.
    package var isStarting = false
    package var trouble: Trouble?
    /// A kernel has answered, in the present attempt or before one that failed.
    package var hasRun = false
    /// When the one of the present attempt did.
    package var reached: ContinuousClock.Instant?
    /// All is over, and how.
    package var end: KernelEnd?
    /// The relay's; nothing before it is bound and after it is gone.
    package var pulse: RelayPulse?
    package var isConnected = false
    package var heldBytes = 0
    /// What is held has reached its limit.
    package var isHoldFull = false
    /// The client that what is held is for, as far as it can be told.
    package var slowClient: SlowClient?
    /// The gate's; nothing before there is one.
    package var sight: GateSight?
    package var kernel: String
    /// What people call it by, through all attempts to launch it.
    package var session: String
    /// This process.
    package var relayd = getpid()

    package init(kernel: String, facts: LaunchFacts, now: ContinuousClock.Instant = .now) {
        self.kernel = kernel
        session = kernel
        self.facts = facts
        self.now = now
    }

    /// When the relay's thread went round last, where it is stuck. Time in which nobody looked proves nothing: what held up
    /// the looker held up the thread.
    var stuckSince: ContinuousClock.Instant? {
        guard isConnected, let pulse, let turned = pulse.turned else { return nil }
        let idle = max(turned, watchedSince ?? turned).duration(to: now)
        return idle >= pulse.longestSleep + Tuning.threadIsLate ? turned : nil
    }

    /// When the heartbeat went out that should have been answered by now.
    package var unansweredSince: ContinuousClock.Instant? {
        guard let sent = pulse?.beatSent, sent.duration(to: now) >= Tuning.beatPatience else { return nil }
        return sent
    }

    package var process: GateSight.Process? { sight?.processes[kernel] }

    /// Of its process, as the gate saw it since the kernel answered. What it was before, on its way from a copy of the gate
    /// to an interpreter that has read its modules, says nothing of the kernel.
    package var memoryBytes: Int64? {
        guard let process, let reached, let asked = sight?.asked, asked >= reached,
            ![.zombie, .gone].contains(process.vitals.state)
        else { return nil }
        return process.vitals.memoryBytes
    }

    var container: String { facts.container }
    var command: CommandLineText { CommandLineText(facts) }
}
