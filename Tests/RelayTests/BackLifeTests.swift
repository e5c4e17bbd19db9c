import KernelRelay
import Testing

/// The life of the connections to a kernel, step by step: no clock, no socket, no kernel.
@Suite struct BackLifeTests {
    /// Steps, and what each must bring about.
    struct Story: CustomTestStringConvertible, Sendable {
        enum Step: Sendable {
            case event(BackLife.Event)
            /// Nothing happens but that so much time passes; `dry` is what the relay says of its lanes.
            case time(Duration, dry: Bool)
        }

        let testDescription: String
        private(set) var steps: [(step: Step, expected: [BackLife.Action])] = []

        init(_ name: String) { testDescription = name }

        func time(_ after: Duration, dry: Bool = true, _ expected: [BackLife.Action]) -> Story {
            adding(.time(after, dry: dry), expected)
        }

        func event(_ event: BackLife.Event, _ expected: [BackLife.Action] = []) -> Story {
            adding(.event(event), expected)
        }

        /// The five handshakes, of which the last lets requests in.
        func handshakes() -> Story {
            Channel.allCases.reduce(self) { story, channel in
                story.event(.handshakeDone(channel), channel == Channel.allCases.last ? [.admit] : [])
            }
        }

        func connected() -> Story { time(.zero, [.open]).handshakes() }

        private func adding(_ step: Step, _ expected: [BackLife.Action]) -> Story {
            var copy = self
            copy.steps.append((step, expected))
            return copy
        }
    }

    private static let lastWords = Tuning.lastWords
    private static let tick = Duration.milliseconds(1)

    private static let stories: [Story] = [
        Story("the kernel is there").connected().time(.seconds(3600), []),

        Story("it is gone for good, and then there is another")
            .connected()
            .event(.gone, [.shut])
            .time(Tuning.partingSilence - tick, [])
            .time(tick, [.close])
            .time(.seconds(3600), [])
            .event(.named)
            .time(.zero, [.open]).handshakes(),

        Story("it is lost, and gone for good")
            .connected()
            .event(.lost(.shell), [.shut])
            .event(.gone)
            .time(Tuning.partingSilence, [.close])
            .time(.seconds(3600), []),

        Story("it was looked for in vain, and is gone for good")
            .time(.zero, [.open])
            .event(.refused(.shell), [.close])
            .event(.gone)
            .time(.seconds(3600), []),

        Story("it is being looked for, and gone for good")
            .time(.zero, [.open])
            .event(.gone, [.close])
            .time(.seconds(3600), []),

        Story("nobody listens, then somebody does")
            .time(.zero, [.open])
            .event(.refused(.shell), [.close])
            // The other four say the same; they are closed by now.
            .event(.refused(.iopub))
            .time(Tuning.firstRetry - tick, [])
            .time(tick, [.open])
            .event(.refused(.hb), [.close])
            // Each wait is an eighth longer.
            .time(Tuning.firstRetry, [])
            .time(Tuning.firstRetry / 8, [.open])
            .handshakes(),

        Story("half of the ports are bound")
            .time(.zero, [.open])
            .event(.handshakeDone(.shell))
            .event(.refused(.iopub))
            // What shell may have said is heard first; not for long.
            .time(.zero, dry: false, [])
            .time(lastWords - tick, [])
            .time(tick, [.close])
            .time(Tuning.firstRetry, [.open]),

        Story("one that answered is refused a moment later")
            .time(.zero, [.open])
            .event(.handshakeDone(.shell))
            .event(.lost(.shell))
            // It may have said something in that moment.
            .time(Tuning.afterLoss - tick, [])
            .time(tick, [.close]),

        Story("all five are lost")
            .connected()
            .event(.lost(.shell), [.shut])
            .event(.lost(.iopub)).event(.lost(.stdin)).event(.lost(.control)).event(.lost(.hb))
            // Dry so far; libzmq may report the end before it hands over the last of what came.
            .time(.zero, [])
            // The sockets still hold what the kernel said last.
            .time(Tuning.afterLoss, dry: false, [])
            .time(Tuning.afterLoss - tick, [])
            .time(tick, [.close])
            .time(Tuning.firstRetry, [.open]),

        Story("one is lost and the others are silent")
            .connected()
            .event(.lost(.iopub), [.shut])
            .time(lastWords - tick, [])
            .time(tick, [.close]),

        Story("one is lost and the others go on talking")
            .connected()
            .event(.lost(.hb), [.shut])
            .time(lastWords - tick, dry: false, [])
            .time(lastWords - tick, dry: false, [])
            .time(lastWords - tick, [])
            .time(tick, [.close]),

        Story("a handshake that comes too late lets nothing in")
            .connected()
            .event(.lost(.shell), [.shut])
            .event(.handshakeDone(.shell))
            .time(lastWords, [.close])
            .event(.handshakeDone(.shell))
            .event(.lost(.shell)),

        Story("it is said elsewhere while nobody answers")
            .time(.zero, [.open])
            .event(.refused(.shell), [.close])
            .event(.named)
            // At once, and not after the wait that was under way.
            .time(.zero, [.open])
            .event(.named, [.close])
            .time(Tuning.firstRetry, [.open])
            .handshakes(),

        Story("it is said elsewhere while a kernel is there")
            .connected()
            .event(.named, [.shut])
            .time(Tuning.partingSilence - tick, [])
            .time(tick, [.close])
            .time(Tuning.firstRetry, [.open])
            .handshakes(),

        Story("it is said elsewhere while a kernel talks without end")
            .connected()
            .event(.named, [.shut])
            .time(Tuning.partingAtMost - tick, dry: false, [])
            .event(.lost(.hb))
            .time(tick, dry: false, [.close])
            .time(Tuning.firstRetry, [.open])
            // The next one is heard out as long as ever.
            .handshakes()
            .event(.lost(.hb), [.shut])
            .time(Tuning.partingAtMost, dry: false, [])
            .time(lastWords, [.close]),

        Story("it is said elsewhere while a lost one is heard out")
            .connected()
            .event(.lost(.hb), [.shut])
            .event(.named)
            .time(Tuning.partingSilence, [.close])
            .time(Tuning.firstRetry, [.open]),

        Story("it is said elsewhere half-way")
            .time(.zero, [.open])
            .event(.handshakeDone(.shell))
            .event(.named)
            .time(Tuning.partingSilence, [.close])
            .time(Tuning.firstRetry, [.open]),

        Story("after a connection the waits are short again")
            .time(.zero, [.open]).event(.refused(.shell), [.close])
            .time(.seconds(1), [.open]).event(.refused(.shell), [.close])
            .time(.seconds(1), [.open]).event(.refused(.shell), [.close])
            .time(.seconds(1), [.open]).handshakes()
            .event(.lost(.shell), [.shut])
            .time(lastWords, [.close])
            .time(Tuning.firstRetry, [.open]),
    ]

    @Test(arguments: stories)
    func goesAsTold(_ story: Story) {
        var now = ContinuousClock.now
        var life = BackLife(now: now)
        for (index, (step, expected)) in story.steps.enumerated() {
            switch step {
            case .event(let event):
                #expect(life.handle(event, now: now) == expected, "step \(index)")
            case .time(let duration, let dry):
                now += duration
                #expect(life.step(now: now, isDry: dry) == expected, "step \(index)")
            }
        }
    }

    /// However long a kernel stays away, it is looked for.
    @Test func neverWaitsLongerThanTheLongest() throws {
        var now = ContinuousClock.now
        var life = BackLife(now: now)
        var waits: [Duration] = []
        for _ in 0..<100 {
            #expect(life.step(now: now, isDry: true) == [.open])
            #expect(life.deadline == nil)
            #expect(life.handle(.refused(.shell), now: now) == [.close])
            let deadline = try #require(life.deadline)
            waits.append(now.duration(to: deadline))
            now = deadline
        }
        #expect(waits == waits.sorted())
        #expect(waits.first == Tuning.firstRetry)
        #expect(waits.last == Tuning.longestRetry)
    }

    @Test func waitsUntilItIsSaidWhereTheKernelIs() {
        let now = ContinuousClock.now
        var life = BackLife(now: now, isKnown: false)
        #expect(life.deadline == nil)
        #expect(!life.mayHear)
        #expect(life.step(now: now + .seconds(60), isDry: true) == [])
        #expect(life.handle(.named, now: now) == [])
        #expect(life.step(now: now, isDry: true) == [.open])
    }

    /// What a relay that ends goes by: it listens while there is somebody to hear.
    @Test func tellsWhetherTheKernelMayStillSpeak() {
        let now = ContinuousClock.now
        var life = BackLife(now: now)
        #expect(!life.mayHear)
        _ = life.step(now: now, isDry: true)
        #expect(!life.mayHear)
        for channel in Channel.allCases {
            _ = life.handle(.handshakeDone(channel), now: now)
            #expect(life.mayHear)
        }
        for channel in Channel.allCases {
            #expect(life.mayHear)
            _ = life.handle(.lost(channel), now: now)
        }
        // All are lost, and the last of what they brought may still be on its way.
        #expect(life.mayHear)
        #expect(life.phase == .ending(until: now + Tuning.afterLoss))
        #expect(life.step(now: now + Tuning.afterLoss, isDry: true) == [.close])
        #expect(!life.mayHear)
    }
}
