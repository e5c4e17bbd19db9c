import Glibc
import RelayLink

/// One kernel of one shim, from the moment it is asked for until nothing of it is left: the relay in front, the
/// gate's process behind, and what the shim is told.
///
/// The front is bound before anything slow happens, and belongs to nobody again before the shim hears of the
/// end: at a restart Jupyter gives the next shim the same five ports.
///
/// A launch that fails, and a kernel that dies, need not be the end: the relay then speaks in the kernel's place, and
/// the session launches another when a cell waits for one.
///
/// Concurrency: an actor. `run` is its whole life; signals, the relay's events and the shim's end come in between.
package actor KernelSession {
    package enum State: String, Sendable {
        case starting, running, failed, ending, ended
    }

    /// How a session ends when it does not end by itself.
    enum Ending: Equatable {
        /// The shim is gone: there is nobody to tell.
        case abandoned
        /// Whoever asked, the kernel is to end within this time.
        case asked(grace: Duration)
        /// The same by `relayd stop`, which people are told.
        case stopped(grace: Duration)
        /// A client asked, and there is no kernel that could.
        case shutDown
        /// relayd ends, and the kernel does not.
        case handedOver
    }

    package nonisolated let id: String
    package nonisolated let launch: ControlRequest.Launch
    /// When its shim asked this relayd for it.
    package nonisolated let came = ContinuousClock.now
    /// The same; of a kernel that an earlier relayd started, when that kernel began.
    package nonisolated let began: ContinuousClock.Instant
    /// What it wrote to stderr last.
    package nonisolated let stderrTail = ByteTail(limit: Tuning.stderrTail)
    nonisolated let shim: FrameChannel
    nonisolated let gates: GatePool
    /// On their way to the kernel. A link that is lost or a gate that is stopped must not hold up who sends them.
    private nonisolated let signals: AsyncStream<Int32>
    nonisolated let signalSink: AsyncStream<Int32>.Continuation
    private nonisolated let events: AsyncStream<RelayEvent>
    nonisolated let eventSink: AsyncStream<RelayEvent>.Continuation

    /// The kernel of the present attempt, as its gate knows it: its id, its own key, and what it knows its relay by.
    package internal(set) var kernel: String
    var key: SigningKey
    /// What the present attempt asks for: `launch`, and what a project's file and the caller's variables say.
    package internal(set) var asked: ControlRequest.Launch
    var routingName: String

    package internal(set) var state = State.starting
    package internal(set) var route: KernelRoute?
    /// Where the route does not lead by the gate.
    var presence: KernelPresence?
    package internal(set) var container: String
    /// Why there is no kernel, while there is none.
    package internal(set) var trouble: Observation.Trouble?
    package internal(set) var phases = LaunchPhases()
    var front: ConnectionInfo?
    var relay: Relay?
    /// The relay while it is being stopped.
    var parting: Relay?
    /// What stopped relays and attempts that came to nothing had added up.
    var past = Tally()
    /// Some of the notebook's ports are taken.
    var lacksPorts = false
    var gate: GateSession?
    /// The gate has been told to start it, so that it must be told to end it.
    var mayRun = false
    /// The shim has been told.
    var isLaunched = false
    var ending: Ending?
    var early: [Int32] = []
    var limit: LaunchLimit?
    var search: RouteSearch?
    /// Why a kernel that had been started was ended from here.
    var refusal: Refusal?
    var aftermath = Aftermath()
    var facts: LaunchFacts
    private var droppedOutput = 0
    /// A container was made for this kernel, or may yet turn out to have been.
    var mayHaveContainer = false
    /// Of a command on this host.
    var hostPorts: HostCommandPorts?
    /// The kernel turned out to be on this host, and listens on all of its interfaces.
    var isOnAllInterfaces = false
    /// Of a kernel that an earlier relayd started, until it is reached or known to be gone.
    var keptContainer: String?
    /// The id of the container that a kernel of this session was in last; nothing once its loss was told.
    var home: String?
    /// Looks whether the container of a kernel that was lost is made anew.
    var lookout: Task<Void, Never>?
    /// Who it is in there, and what that container was called by, where its project may say something else by now.
    let keptUser: String?
    let keptReference: String?
    /// Whoever waits for a cell, and whether one waits already.
    var waiter: CheckedContinuation<Void, Never>?
    var isWanted = false
    /// The present attempt is one that a cell waits for.
    var isRetry = false
    /// When the kernel of the present attempt began, by the ``BootClock``.
    var started: Int64?
    /// An earlier relayd started it: what is counted here and the phases of its launch are of its being taken up again.
    var isResumed: Bool
    /// When the kernel of the present attempt answered, how it ended, and whether there ever was one.
    var reachedAt: ContinuousClock.Instant?
    var exitCause: GateReport.Exit.Cause?
    var hasHadKernel: Bool
    /// When its container ends, as far as that is known before there is anybody to tell; by the ``BootClock``.
    var containerEnd: Int64?
    /// Looks at how long it may be there.
    var lifeguard: Task<Void, Never>?

    /// - Parameter keepsake: of a kernel that an earlier relayd started.
    package init(
        _ launch: ControlRequest.Launch, keepsake: ControlRequest.Keepsake?, shim: FrameChannel,
        gates: GatePool
    ) {
        self.launch = launch
        self.shim = shim
        self.gates = gates
        (signals, signalSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(64))
        (events, eventSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(64))
        id = keepsake?.kernel ?? Self.newKernel()
        kernel = id
        key = keepsake.map { SigningKey($0.key) } ?? .random()
        asked = launch
        container = LaunchFacts.shown(launch.place)
        routingName = keepsake?.relay ?? SigningKey.random().text
        keptContainer = keepsake?.containerID
        home = keepsake?.containerID
        started = keepsake?.started
        began = .now - .milliseconds(max(0, keepsake?.started.map { BootClock.now - $0 } ?? 0))
        (isResumed, hasHadKernel) = (keepsake != nil, keepsake != nil)
        keptUser = keepsake?.user
        keptReference = keepsake?.container
        if let keepsake { gates.sought.add(keepsake.kernel) }
        mayHaveContainer = keepsake != nil && launch.making != nil
        if let ways = keepsake?.hostPorts, let outside = ways.first {
            hostPorts = HostCommandPorts(inside: ways.last ?? outside, outside: outside, ways: ways)
        }
        aftermath.wasReached = keepsake != nil
        facts = LaunchFacts(launch)
    }

    static func newKernel() -> String { String(SigningKey.random().text.prefix(12)) }

    // MARK: - The whole life

    /// Starts the kernel, or takes it up again, and stays with it until its end has been told.
    package func run(request: Int64) async {
        let passing = [
            Task { for await number in signals { await self.pass(number) } },
            Task { for await event in events { await self.hear(event) } },
        ]
        defer {
            signalSink.finish()
            eventSink.finish()
            for task in passing { task.cancel() }
        }
        let outcome = await live(request)
        sayGoodbye()
        await finish()
        state = .ended
        // The shim of a kernel that lives on sees the end of relayd itself, when everything is free for the next.
        if ending == .handedOver { return }
        noteDropped()
        if let outcome, ending != .abandoned { shim.send(outcome) }
        await shim.flush(within: Tuning.farewellToShim)
        shim.close()
    }

    /// What the shim is told at the end; nothing when the kernel was handed over.
    private func live(_ request: Int64) async -> ControlReport? {
        do throws(Refusal) {
            try await open()
        } catch {
            return failed(error).report(for: request)
        }
        while true {
            let cause: Explanation.Cause
            do throws(Refusal) {
                guard let exit = try await attempt(request) else { return nil }
                if ending != nil || !aftermath.isUnwanted(exit.cause) {
                    return endedByClient ?? .exited(exit)
                }
                facts.tail = exit.tail
                cause = .ended(exit)
            } catch {
                if ending != nil { return endedByClient ?? failed(error).report(for: request) }
                cause = .refused(error)
            }
            if !cause.leavesKernel { keptContainer = nil }
            let explanation = await explain(cause)
            trouble = .init(explanation)
            speak(explanation)
            guard launch.onFailure == .kernel else { return explanation.report(of: cause, for: request) }
            await fail(explanation)
            await untilWanted(after: cause)
            if ending != nil { return endedByClient ?? explanation.refusal.report(for: request) }
        }
    }

    /// A client's `shutdown_request` ends the kernel that is not there as one that is.
    private var endedByClient: ControlReport? { ending == .shutDown ? .exited(.init(cause: .code(0))) : nil }

    private func failed(_ error: Refusal) -> Refusal {
        Log.note("kernel failed", ["kernel": id, "code": error.code, "message": error.message])
        trouble = .init(code: error.code, text: error.message, advice: error.remedy)
        return error
    }

    // MARK: - What the kernel prints

    /// What the kernel wrote to its stdout and stderr. A shim that does not read must not fill relayd's memory, and
    /// the gate's link, which others share, must not wait for it.
    func passOn(_ stream: GateReport.OutputStream, _ data: [UInt8]) {
        if stream == .stderr { stderrTail.append(data) }
        facts.tail = (facts.tail + data).suffix(Tuning.tailBytes)
        if shim.pending > Tuning.shimBacklog {
            droppedOutput += data.count
            return
        }
        noteDropped()
        shim.send(ControlReport.output(stream: stream, data: data))
    }

    private func noteDropped() {
        guard droppedOutput > 0 else { return }
        let note = "\n[relayd: \(droppedOutput) bytes were dropped here: nobody read them]\n"
        shim.send(ControlReport.output(stream: .stderr, data: Array(note.utf8)))
        droppedOutput = 0
    }

    // MARK: - What comes in between

    /// A signal from Jupyter, by way of the shim.
    package nonisolated func signal(_ number: Int32) { signalSink.yield(number) }

    private func pass(_ number: Int32) async {
        // It would end a kernel that has not set its handlers yet; a first launch is not what is interrupted.
        if number == SIGINT, isRetry, phases.total == nil, state == .starting || state == .running {
            return await giveUp(Refusal(.launchInterrupted, asked.place))
        }
        guard isLaunched, let gate else {
            // Before there is a kernel, what would end it ends the launch.
            if Aftermath.terminating.contains(number) {
                await end(.asked(grace: .zero))
            } else if state == .starting, early.count < 16 {
                early.append(number)
            }
            return
        }
        aftermath.passed(number)
        await gate.signal(kernel, number)
    }

    func passOnEarlySignals() {
        for number in early { signalSink.yield(number) }
        early = []
    }

    private func hear(_ event: RelayEvent) async {
        switch event {
        case .reached: reached()
        case .attempt: want()
        case .interrupted: await giveUp(Refusal(.launchInterrupted, asked.place))
        // Before it is reached the relay answers in its place, and the kernel hears nothing of it.
        case .shutdown where isLaunched && phases.total != nil: aftermath.wasShutDown = true
        case .shutdown: await end(.shutDown)
        }
    }
}
