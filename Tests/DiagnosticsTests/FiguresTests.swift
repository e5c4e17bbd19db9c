import KernelRelay
import RelayLink
import Testing

@Suite struct FiguresTests {
    @Test(arguments: [
        (0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (1540, "1.5 kB"), (67_108_864, "67 MB"),
        (3_200_000_000, "3.2 GB"),
    ])
    func bytes(_ count: Int, _ text: String) { #expect(Figures.bytes(count) == text) }

    @Test(arguments: [
        (Duration.microseconds(229), "229 µs"), (.milliseconds(3), "3 ms"), (.milliseconds(999), "999 ms"),
        (.seconds(1.25), "1.3 s"), (.seconds(119), "119 s"), (.seconds(120), "2 min"),
        (.seconds(7200), "2 h"),
        (.seconds(400_000), "4 days"),
    ])
    func durations(_ duration: Duration, _ text: String) { #expect(Figures.duration(duration) == text) }
}

@Suite struct KernelHistoryTests {
    @Test func keepsTheLastTenMinutesInOrder() {
        var history = KernelHistory()
        for number in 0..<1000 {
            history.append(.init(roundTrip: .milliseconds(number), messagesPerSecond: 0, word: .ok))
        }
        let kept = history.samples.map(\.roundTrip)
        #expect(kept == (700..<1000).map { .milliseconds($0) })
    }

    @Test func aShortOneIsWhole() {
        var history = KernelHistory()
        #expect(history.samples.isEmpty)
        history.append(.init(roundTrip: nil, messagesPerSecond: 2, word: .busy))
        #expect(history.samples == [.init(roundTrip: nil, messagesPerSecond: 2, word: .busy)])
    }
}

@Suite struct GateSightTests {
    private let start = ContinuousClock.now

    private func vitals(_ milliseconds: Int64, pid: Int32 = 7) -> GateVitals {
        .init(
            kernels: [.init(kernel: "k", pid: pid, state: .running, cpuMilliseconds: milliseconds)],
            memory: .init(usedBytes: 5, limitBytes: 10, kills: 1))
    }

    @Test func theShareOfACoreIsOfTheTimeBetween() {
        var sight = GateSight()
        sight.heard(vitals(1000), asked: start, at: start)
        #expect(sight.processes["k"]?.cpuShare == nil)
        sight.heard(vitals(2000), asked: start, at: start + .seconds(2))
        #expect(sight.processes["k"]?.cpuShare == 0.5)
        #expect(sight.roundTrip == .seconds(2))
        #expect(sight.memory?.limitBytes == 10)
    }

    @Test func anotherProcessBeginsAnew() {
        var sight = GateSight()
        sight.heard(vitals(9000), asked: start, at: start)
        sight.heard(vitals(10, pid: 8), asked: start, at: start + .seconds(1))
        #expect(sight.processes["k"]?.cpuShare == nil)
    }

    @Test func anAnswerEndsASilence() {
        var sight = GateSight()
        sight.fellSilent(at: start)
        sight.fellSilent(at: start + .seconds(5))
        #expect(sight.silentSince == start)
        #expect(!sight.isContainerKnown)
        sight.container = .state(.paused)
        sight.heard(nil, asked: start, at: start)
        #expect(sight.silentSince == nil)
        #expect(sight.container == .state(.running))
    }

    /// What the engine has told holds until it fails twice in a row; before that the first failure counts.
    @Test func aSlowEngineIsNoneThatIsGone() {
        let timeout = RelayError(.engineTimeout, "docker")
        var sight = GateSight()
        sight.fellSilent(at: start)
        #expect(sight.isUnexplained)
        sight.engineSaid(.failure(timeout))
        #expect(sight.engine == .silent(timeout) && !sight.isUnexplained)
        sight.engineSaid(.success(.paused))
        #expect(sight.engine == .answers && sight.container == .state(.paused) && sight.isContainerKnown)
        sight.engineSaid(.failure(timeout))
        #expect(sight.engine == .answers && sight.container == .state(.paused))
        sight.engineSaid(.failure(RelayError(.containerMissing, "dev")))
        #expect(sight.engine == .answers && sight.container == .gone)
        sight.engineSaid(.failure(timeout))
        sight.engineSaid(.failure(timeout))
        #expect(sight.engine == .silent(timeout))

        sight.heard(nil, asked: start, at: start)
        sight.engineSaid(.failure(timeout))
        #expect(sight.engine == .answers, "the gate knows better")
        sight.fellSilent(at: start)
        #expect(sight.isUnexplained, "and a new silence begins anew")
    }
}
