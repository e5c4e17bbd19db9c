import Dispatch
import Glibc
import Host
import RelayLink

/// `relayd top` while it runs: what comes in changes a value, and the screen is made of the value.
///
/// Concurrency: one task. Keys, signals, answers and the clock come to it by one stream; whoever asks relayd is a task
/// of its own, so that a relayd that does not answer holds up no key.
struct Top: ~Copyable {
    private enum Event: Sendable {
        case bytes([UInt8])
        /// The terminal has gone.
        case end
        case signal(Int32)
        case answer(JSON?)
        /// No byte has come for a moment.
        case settled
        case tick
    }

    private let screen: FullScreen
    private let folder: RuntimeFolder
    private let pause: Duration
    private var state = TopState()
    private var keys = KeyReader()
    private var painter = Painter()
    private var reading: Reading?
    private var lastAnswer = ContinuousClock.now
    private let look = Look(environment: CurrentEnvironment.variables, isTerminal: true)

    init(_ screen: FullScreen, _ folder: RuntimeFolder, every pause: Duration) {
        self.screen = screen
        self.folder = folder
        self.pause = pause
    }

    /// The exit code.
    consuming func run() async -> Int32 {
        let (events, sink) = AsyncStream<Event>.makeStream()
        // Before the screen is taken: a signal that did as it usually does would leave it as it is.
        let signals = SignalWatch.first(of: [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH])
        let tasks = Self.sources(sink, signals, folder, pause)
        let typing = Self.typing(sink)
        defer {
            for task in tasks { task.cancel() }
            typing.cancel()
            screen.leave()
        }
        screen.enter()
        paint()
        for await event in events {
            if let code = take(event, sink) { return code }
            if state.isOver { return 0 }
            paint()
        }
        return 0
    }

    // MARK: - What comes in

    private static func sources(
        _ sink: AsyncStream<Event>.Continuation, _ signals: AsyncStream<Int32>, _ folder: RuntimeFolder,
        _ pause: Duration
    ) -> [Task<Void, Never>] {
        [
            Task { for await number in signals { sink.yield(.signal(number)) } },
            Task {
                var known: ContinuousClock.Instant?
                while !Task.isCancelled {
                    let now = ContinuousClock.now
                    let isDue = known.map { $0.duration(to: now) >= Tuning.topHistoryEvery } ?? true
                    let report = try? await StatusQuestion.ask(folder, history: isDue)
                    if isDue { known = report == nil ? nil : now }
                    sink.yield(.answer(report))
                    try? await Task.sleep(for: pause)
                }
            },
            Task {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(1))
                    sink.yield(.tick)
                }
            },
        ]
    }

    private static func typing(_ sink: AsyncStream<Event>.Continuation) -> any DispatchSourceRead {
        let source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO)
        source.setEventHandler {
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = read(STDIN_FILENO, &bytes, bytes.count)
            if count > 0 { sink.yield(.bytes(Array(bytes[..<count]))) }
            if count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN) { sink.yield(.end) }
        }
        source.resume()
        return source
    }

    /// The exit code, where it ends the program.
    private mutating func take(_ event: Event, _ sink: AsyncStream<Event>.Continuation) -> Int32? {
        switch event {
        case .bytes(let bytes):
            press(keys.feed(bytes))
            if keys.isOpen {
                Task {
                    try? await Task.sleep(for: .milliseconds(40))
                    sink.yield(.settled)
                }
            }
        case .settled: press(keys.settle())
        case .end: return 129
        case .signal(let number): return take(signal: number)
        case .answer(let report): heard(report)
        case .tick:
            if state.link == .up, lastAnswer.duration(to: .now) > .seconds(3) + pause { state.link = .silent }
        }
        return nil
    }

    private mutating func press(_ pressed: [KeyPress]) {
        let rows = TopScreen.listRows(size)
        for key in pressed {
            let kernels = state.inOrder(reading?.kernels ?? []).map(\.id)
            let bottom = TopScreen.bottom(reading, size: size, state: state, look: look)
            state.press(key, kernels: kernels, rows: rows, bottom: bottom)
        }
    }

    private mutating func take(signal number: Int32) -> Int32? {
        switch number {
        case SIGINT: return 0
        case SIGTERM, SIGHUP, SIGQUIT: return 128 + number
        case SIGTSTP:
            screen.leave()
            // The shell has the terminal until it sends SIGCONT. Not before that comes is it taken again: this thread may
            // run on for a moment before the stop reaches it.
            kill(getpid(), SIGSTOP)
        case SIGCONT:
            // Whoever had the terminal meanwhile left it in a mode of its own.
            screen.enter()
            painter.forget()
        default: painter.forget()
        }
        return nil
    }

    private mutating func heard(_ report: JSON?) {
        state.link = report == nil ? .absent : .up
        lastAnswer = .now
        guard let report else {
            reading = state.isPaused ? reading : nil
            return
        }
        if !state.isPaused || reading == nil { reading = Reading(report, after: reading) }
    }

    // MARK: - What goes out

    private var size: ScreenSize { ScreenSize(of: STDOUT_FILENO) ?? ScreenSize(columns: 80, rows: 24) }

    private mutating func paint() {
        // The terminal is another program's until this one goes on.
        guard screen.isOn else { return }
        let text = painter.paint(TopScreen.lines(reading, size: size, state: state, look: look))
        if !text.isEmpty { screen.write(text) }
    }
}
