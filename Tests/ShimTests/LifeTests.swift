import Glibc
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

    @Test func itEndsOnce() {
        var life = running()
        #expect(life.parentEnded().count == 1)
        #expect(life.parentEnded() == [])
        #expect(life.signalled(SIGTERM) == [])
        #expect(life.lost(at: moment(1)) == [])
        #expect(life.heard(Rig.exited(.code(0)), at: moment(1)) == [])
    }
}
