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
