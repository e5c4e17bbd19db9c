import Glibc
import Host
import RelayLink

/// A shim's life from its first request to its end: a value that is told what happened and says what to do.
package struct Life: Sendable {
    package enum Action: Sendable, Equatable {
        case send(ControlRequest)
        case print(GateReport.OutputStream, [UInt8])
        /// Lines of the shim's own.
        case say([String])
        /// Let go of this connection, wait, and reach for relayd again.
        case reachAgain(afterMilliseconds: Int64)
        case end(Ending)
    }

    private enum Phase: Sendable {
        case launching
        /// There is no kernel, and relayd has said why. It may launch one again.
        case failed(since: Moment)
        case running(since: Moment)
        /// relayd has gone; the kernel, as far as is known, has not.
        case resuming(since: Moment)
        case over
    }

    private static let request: Int64 = 1
    /// relayd's own code, in `protocol/errors.json`.
    private static let stopping = "KR-RELAYD-STOPPING"
    private let launch: ControlRequest.Launch
    private var phase = Phase.launching
    private var keepsake: ControlRequest.Keepsake?
    private var attempts = 0
    /// How often relayd could not be started for this launch.
    private var failedStarts = 0
    /// How often a relayd that was ending would not have this launch.
    private var refusals = 0
    /// Signals that came while there was nobody to tell.
    private var kept: [Int32] = []
    private var passedOn: Set<Int32> = []

    package init(_ launch: ControlRequest.Launch) { self.launch = launch }

    /// Until when something else has to happen.
    package var deadline: Moment? {
        if case .resuming(let since) = phase { since + Patience.resume } else { nil }
    }

    /// A relayd is there.
    package func reached() -> [Action] {
        if let keepsake { return [.send(.resume(request: Self.request, launch, keepsake))] }
        return [.send(.launch(request: Self.request, launch))]
    }

    /// No relayd is there, and none can be started.
    package mutating func unreachable(_ error: HostError, at now: Moment) -> [Action] {
        switch phase {
        case .resuming: return tryAgain(error.description, at: now)
        case .launching where error.code == .relaydStart:
            // The one before may be ending, and its successor have waited for that in vain.
            failedStarts += 1
            guard failedStarts < Patience.starts else { return end(Ending(error)) }
            return [.reachAgain(afterMilliseconds: Patience.startAgain)]
        default: return end(Ending(error))
        }
    }

    package mutating func heard(_ report: ControlReport, at now: Moment) -> [Action] {
        switch report {
        case .launched(Self.request, let given):
            // Its second coming would mean that two kernels run for one notebook.
            if case .running = phase { return [] }
            phase = .running(since: now)
            keepsake = given
            passedOn.formUnion(kept)
            defer { kept = [] }
            return kept.map { .send(.signal(number: $0)) }
        case .trouble(let code, let message, let remedy):
            // One that could not be taken up again may be by a later relayd.
            if case .running = phase { keepsake = nil }
            phase = .failed(since: now)
            passedOn = []
            let said = Action.say(Ending(code: code, message: message, remedy: remedy).lines)
            // Whoever wanted the end of the kernel wants it also where there is none. No other signal is the next one's.
            let wanted = kept.first { Ending.terminating.contains($0) }
            kept = []
            return [said] + (wanted.map { end(Ending(.signal($0))) } ?? [])
        case .output(let stream, let data): return [.print(stream, data)]
        case .exited(let exit): return end(Ending(exit, passedOn: passedOn))
        case .failed(let request, let code, let message, let remedy):
            guard request == nil || request == Self.request else { return [] }
            let ending = Ending(code: code, message: message, remedy: remedy)
            return code == Self.stopping ? turnedAway(ending, at: now) : end(ending)
        // Answers to what nobody asked.
        case .launched, .status, .metrics, .page, .connection, .logs, .stderr, .done: return []
        }
    }

    package mutating func heardNonsense(_ reason: String) -> [Action] {
        end(Ending(HostError(.relaydProtocol, reason)))
    }

    /// relayd's end of the connection is closed, and it has not said why.
    package mutating func lost(at now: Moment) -> [Action] {
        switch phase {
        case .over: return []
        case .failed(let since):
            if now - since >= Patience.steady { attempts = 0 }
            phase = .launching
            return lost(at: now)
        case .launching:
            // Nobody knows of a kernel yet; if there is one, its gate ends it with the others that nobody claims.
            attempts += 1
            guard attempts < Patience.launches else {
                return end(Ending(HostError(.relaydStart, "it ended \(attempts) times during the launch")))
            }
            return [.reachAgain(afterMilliseconds: 0)]
        case .running(let since):
            if now - since >= Patience.steady { attempts = 0 }
            phase = .resuming(since: now)
            return tryAgain("", at: now)
        case .resuming: return tryAgain("", at: now)
        }
    }

    /// relayd is ending and takes no kernels; the next one will.
    private mutating func turnedAway(_ ending: Ending, at now: Moment) -> [Action] {
        switch phase {
        case .launching, .failed:
            guard refusals < Patience.pauses.count else { return end(ending) }
            refusals += 1
            return [.reachAgain(afterMilliseconds: Patience.pauses[refusals - 1])]
        case .resuming: return tryAgain(ending.lines.joined(), at: now)
        case .running, .over: return end(ending)
        }
    }

    private mutating func tryAgain(_ reason: String, at now: Moment) -> [Action] {
        guard attempts < Patience.pauses.count else { return giveUp(reason) }
        if let deadline, now >= deadline { return giveUp(reason) }
        attempts += 1
        return [.reachAgain(afterMilliseconds: Patience.pauses[attempts - 1])]
    }

    private mutating func giveUp(_ reason: String) -> [Action] {
        end(Ending(HostError(.relaydLost, reason)))
    }

    package mutating func timePassed(at now: Moment) -> [Action] {
        guard let deadline, now >= deadline else { return [] }
        return giveUp("relayd does not answer")
    }

    package mutating func signalled(_ number: Int32) -> [Action] {
        switch phase {
        case .over: return []
        case .failed where number == SIGINT:
            // A launch that a cell waits for can be interrupted; relayd knows whether there is one.
            return [.send(.signal(number: number))]
        case .launching, .failed:
            // An interrupt finds nothing that it could interrupt; passed on, it would end a kernel that has
            // not set its handlers yet.
            return Ending.terminating.contains(number) ? end(Ending(.signal(number))) : []
        case .running:
            passedOn.insert(number)
            return [.send(.signal(number: number))]
        case .resuming:
            // What comes more often than that says nothing new.
            if kept.count < 64 { kept.append(number) }
            return []
        }
    }

    /// Jupyter was killed. The connection's end ends the kernel, and nobody waits for its ports.
    package mutating func parentEnded() -> [Action] { end(Ending(.signal(SIGTERM))) }

    private mutating func end(_ ending: Ending) -> [Action] {
        if case .over = phase { return [] }
        phase = .over
        return [.end(ending)]
    }
}
