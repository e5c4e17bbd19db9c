import Glibc
import Ground
import Host
import RelayLink
import Shim
import Testing

/// The times of a shim's life, without waiting for them.
@Suite struct LifeTests {
    private let launch = ControlRequest.Launch(connectionFile: "/k", container: "c")
    private func moment(_ milliseconds: Int64) -> Moment { Moment(milliseconds: milliseconds) }

    private func running() -> Life {
        var life = Life(launch)
        #expect(life.reached() == [.send(.launch(request: 1, launch))])
        #expect(life.heard(.launched(request: 1, Rig.keepsake), at: moment(0)) == [])
        return life
    }

    private func isLost(_ actions: [Life.Action]) -> Bool {
        guard case .end(let ending) = actions.first else { return false }
        return ending.way == .code(69) && ending.lines.first?.hasPrefix("KR-RELAYD-LOST") == true
    }

    @Test func triesArePacedAndCounted() {
        var life = running()
        var now: Int64 = 100
        for pause in Patience.pauses {
            #expect(life.lost(at: moment(now)) == [.reachAgain(afterMilliseconds: pause)])
            #expect(life.reached() == [.send(.resume(request: 1, launch, Rig.keepsake))])
            now += pause
        }
        #expect(isLost(life.lost(at: moment(now))))
    }

    /// A relayd that dies of taking up this very kernel is not fed it for ever.
    @Test func aRelaydThatDiesEachTimeAtOnceIsGivenUp() {
        var life = running()
        var now: Int64 = 100
        for _ in Patience.pauses {
            let actions = life.lost(at: moment(now))
            #expect(!isLost(actions))
            #expect(life.heard(.launched(request: 1, Rig.keepsake), at: moment(now)) == [])
            now += Patience.steady - 1
        }
        #expect(isLost(life.lost(at: moment(now))))
    }

    @Test func aRelaydThatLivedIsStartedAgainEveryTime() {
        var life = running()
        var now: Int64 = 0
        for _ in 0..<100 {
            now += Patience.steady
            #expect(life.lost(at: moment(now)) == [.reachAgain(afterMilliseconds: 0)])
            #expect(life.heard(.launched(request: 1, Rig.keepsake), at: moment(now)) == [])
        }
    }

    @Test func aSilentRelaydIsNotWaitedForForEver() {
        var life = running()
        #expect(life.deadline == nil)
        _ = life.lost(at: moment(1000))
        #expect(life.deadline == moment(1000 + Patience.resume))
        #expect(life.timePassed(at: moment(999 + Patience.resume)) == [])
        #expect(isLost(life.timePassed(at: moment(1000 + Patience.resume))))
        #expect(life.timePassed(at: moment(2000 + Patience.resume)) == [], "it ends once")
    }

    private let turnedAway = ControlReport.failed(
        request: 1, code: "KR-RELAYD-STOPPING", message: "relayd is ending", remedy: "Start the kernel again."
    )

    @Test func theCodeOfARelaydThatEndsIsInTheCatalogue() throws {
        let listed: [HostErrorTests.Entry] = try Repository.decode("protocol/errors.json")
        #expect(listed.contains { $0.code == "KR-RELAYD-STOPPING" })
    }

    /// The next relayd takes the kernel.
    @Test func aLaunchThatMetAnEndingRelaydIsTriedAgain() {
        var life = Life(launch)
        for pause in Patience.pauses {
            #expect(life.reached() == [.send(.launch(request: 1, launch))])
            #expect(life.heard(turnedAway, at: moment(0)) == [.reachAgain(afterMilliseconds: pause)])
        }
        guard case .end(let ending) = life.heard(turnedAway, at: moment(0)).first else {
            Issue.record("it goes on for ever")
            return
        }
        #expect(ending.way == .code(69))
        #expect(ending.lines == ["KR-RELAYD-STOPPING: relayd is ending. Start the kernel again."])
    }

    @Test func aKernelThatMetAnEndingRelaydIsTakenUpByTheNext() {
        var life = running()
        #expect(life.lost(at: moment(0)) == [.reachAgain(afterMilliseconds: Patience.pauses[0])])
        #expect(
            life.heard(turnedAway, at: moment(1)) == [.reachAgain(afterMilliseconds: Patience.pauses[1])])
        #expect(life.reached() == [.send(.resume(request: 1, launch, Rig.keepsake))])
    }

    @Test func aStartThatFailedForALaunchIsTriedOnceMore() {
        var life = Life(launch)
        let error = HostError(.relaydStart)
        #expect(
            life.unreachable(error, at: moment(0)) == [.reachAgain(afterMilliseconds: Patience.startAgain)])
        #expect(life.unreachable(error, at: moment(1)) == [.end(Ending(error))])
    }

    /// Trying again would change nothing.
    @Test(arguments: [HostErrorCode.relaydMissing, .relaydForeign, .usage, .system])
    func whatWillNotMendItselfEndsALaunch(code: HostErrorCode) {
        var life = Life(launch)
        #expect(life.unreachable(HostError(code), at: moment(0)) == [.end(Ending(HostError(code)))])
    }

    @Test func keptSignalsAreBounded() {
        var life = running()
        _ = life.lost(at: moment(0))
        for _ in 0..<1000 { #expect(life.signalled(SIGINT) == []) }
        #expect(life.heard(.launched(request: 1, Rig.keepsake), at: moment(1)).count == 64)
    }

    private let trouble = ControlReport.trouble(code: "KR-X", message: "why", remedy: "Mend it.")

    /// As a launch that goes on: no signal but an interrupt is passed, and the next relayd is asked for a launch.
    @Test func aKernelThatIsNotThere() {
        var life = running()
        #expect(life.heard(trouble, at: moment(0)) == [.say(["KR-X: why. Mend it."])])
        #expect(
            life.signalled(SIGINT) == [.send(.signal(number: SIGINT))], "an attempt may be under way")
        #expect(life.signalled(SIGUSR1) == [])
        #expect(life.lost(at: moment(1)) == [.reachAgain(afterMilliseconds: 0)])
        #expect(life.reached() == [.send(.launch(request: 1, launch))])
        #expect(life.heard(trouble, at: moment(2)) == [.say(["KR-X: why. Mend it."])])
        var keepsake = Rig.keepsake
        keepsake.kernel = "another"
        #expect(life.heard(.launched(request: 1, keepsake), at: moment(3)) == [])
        #expect(life.signalled(SIGINT) == [.send(.signal(number: SIGINT))])
        _ = life.lost(at: moment(4))
        #expect(life.reached() == [.send(.resume(request: 1, launch, keepsake))])
    }

    @Test func aShimWithoutAKernelEndsBySignal() {
        var life = Life(launch)
        _ = life.heard(trouble, at: moment(0))
        #expect(life.signalled(SIGTERM) == [.end(Ending(.signal(SIGTERM)))])
    }

    /// A signal that came while a kernel was looked for is not forgotten when there is none, and not the next kernel's.
    @Test func signalsThatCameWhileAKernelWasLookedFor() {
        var life = running()
        _ = life.lost(at: moment(0))
        _ = life.signalled(SIGINT)
        #expect(life.heard(trouble, at: moment(1)) == [.say(["KR-X: why. Mend it."])])
        #expect(life.heard(.launched(request: 1, Rig.keepsake), at: moment(2)) == [])
        _ = life.lost(at: moment(3))
        _ = life.signalled(SIGTERM)
        #expect(
            life.heard(trouble, at: moment(4)) == [
                .say(["KR-X: why. Mend it."]), .end(Ending(.signal(SIGTERM))),
            ])
    }

    /// One that could not be taken up again may live: the next relayd is asked for it, and not for another.
    @Test func aKernelThatCouldNotBeTakenUpAgain() {
        var life = running()
        _ = life.lost(at: moment(0))
        #expect(life.heard(trouble, at: moment(1)) == [.say(["KR-X: why. Mend it."])])
        #expect(life.heard(trouble, at: moment(2)) == [.say(["KR-X: why. Mend it."])])
        #expect(life.lost(at: moment(3)) == [.reachAgain(afterMilliseconds: 0)])
        #expect(life.reached() == [.send(.resume(request: 1, launch, Rig.keepsake))])
    }

    /// What was passed on to the one does not excuse the other.
    @Test func theNextKernelsEndIsItsOwn() {
        var life = running()
        _ = life.signalled(SIGTERM)
        _ = life.heard(trouble, at: moment(0))
        _ = life.heard(.launched(request: 1, Rig.keepsake), at: moment(1))
        guard case .end(let ending) = life.heard(Rig.exited(.code(3)), at: moment(2)).first else { return }
        #expect(ending.lines.first?.hasPrefix("KR-KERNEL-FAILED") == true)
    }

    @Test func aRelaydThatDiesOfTheSameLaunchIsGivenUp() {
        var life = Life(launch)
        for _ in 1..<Patience.launches {
            _ = life.heard(trouble, at: moment(0))
            #expect(life.lost(at: moment(1)) == [.reachAgain(afterMilliseconds: 0)])
        }
        _ = life.heard(trouble, at: moment(2))
        guard case .end(let ending) = life.lost(at: moment(3)).first else {
            Issue.record("it goes on for ever")
            return
        }
        #expect(ending.lines.first?.hasPrefix("KR-RELAYD-START") == true)
        // One that lived for a while did not die of it.
        var other = Life(launch)
        for round in 0..<Int64(20) {
            let now = round * Patience.steady
            _ = other.heard(trouble, at: moment(now))
            #expect(other.lost(at: moment(now + Patience.steady)) == [.reachAgain(afterMilliseconds: 0)])
        }
    }

    @Test func itEndsOnce() {
        var life = running()
        #expect(life.parentEnded().count == 1)
        #expect(life.parentEnded() == [])
        #expect(life.signalled(SIGTERM) == [])
        #expect(life.lost(at: moment(1)) == [])
        #expect(life.heard(Rig.exited(.code(0)), at: moment(1)) == [])
    }
}
