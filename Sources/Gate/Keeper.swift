import Glibc
import RelayLink

/// `relay-shim hold`: the command of a container that has nothing else to do but to be there, whatever its image lacks.
///
/// It waits until it is told to end, or for the times that it was given: then it hears of its gates whether anybody needs them
/// and when their kernels were used, tells them five minutes before the end, and ends when they have ended their kernels.
///
/// Concurrency: one thread, the one that calls `run`; an event loop in it.
package final class Keeper {
    /// Returns the exit code.
    package static func run(_ words: [String]) -> Int32 {
        do throws(GateError) {
            try Keeper(HoldWords(words)).run()
            return 0
        } catch {
            Complaint.say("relay-shim: \(error)")
            return error.code == .usage ? 64 : 69
        }
    }

    private let loop: EventLoop
    private let words: HoldWords
    private var signals: Signals?
    private var listener: Int32 = -1
    private var watch: EventLoop.Watch?
    private var timer: EventLoop.Timer?
    private var gates: [Int32: EventLoop.Watch] = [:]
    /// Those of them that somebody needs.
    private var needed: Set<Int32> = []
    private var unneeded: EventLoop.Timer?
    private var span: Lifespan
    private var lastUse = BootClock.now
    /// The end that nothing helps against, once it has been told.
    private var end: Int64?
    private var isEnding = false

    private init(_ words: HoldWords) throws(GateError) {
        self.words = words
        loop = try EventLoop()
        span = Lifespan(words.lifetimes, began: lastUse, now: lastUse)
    }

    private func run() throws(GateError) {
        // As the first process of a container it would not be reached by signals that it does not wait for.
        signals = try Signals(loop, [SIGTERM, SIGINT, SIGHUP, SIGCHLD]) { [loop] number in
            // Without an init, orphans are given to the first process.
            if number == SIGCHLD { while waitpid(-1, nil, WNOHANG) > 0 {} } else { loop.stop() }
        }
        if !words.areNone {
            listener = try HoldPoint.listen()
            watch = try loop.watch(listener, .readable) { [weak self] _ in self?.accept() }
            if !words.lifetimes.areEndless { step() }
            waitForNeed()
        }
        loop.run()
        for descriptor in gates.keys { close(descriptor) }
        watch?.cancel()
        if listener >= 0 { close(listener) }
    }

    private func accept() {
        while case .accepted(let descriptor) = Sockets.accept(from: listener) {
            // What anybody says here is that the container is in use, which whoever is in it can bring about anyway.
            let watch =
                gates.count < Tuning.mostGates
                ? try? loop.watch(descriptor, .readable, { [weak self] _ in self?.hear(descriptor) }) : nil
            guard let watch else {
                close(descriptor)
                continue
            }
            gates[descriptor] = watch
            if let end {
                HoldPoint.send(EndRecord(.lifetime, left: max(1, end - BootClock.now)).bytes, to: descriptor)
            }
            hear(descriptor)
        }
    }

    private func hear(_ descriptor: Int32) {
        while gates[descriptor] != nil, let bytes = HoldPoint.receive(from: descriptor) {
            if bytes.isEmpty {
                gates.removeValue(forKey: descriptor)?.cancel()
                close(descriptor)
                note(descriptor, isNeeded: false)
                if isEnding, gates.isEmpty { loop.stop() }
            } else if let record = UseRecord(bytes) {
                lastUse = max(lastUse, BootClock.now - record.ago)
            } else if let record = NeedRecord(bytes) {
                note(descriptor, isNeeded: record.isNeeded)
            }
        }
    }

    private func note(_ gate: Int32, isNeeded: Bool) {
        if isNeeded {
            needed.insert(gate)
            unneeded?.cancel()
        } else if needed.remove(gate) != nil, needed.isEmpty {
            waitForNeed()
        }
    }

    private func waitForNeed() {
        guard let limit = words.unneeded else { return }
        unneeded = loop.after(limit) { [loop] in loop.stop() }
    }

    /// What is due now is done, and what is due next is waited for.
    private func step() {
        while true {
            let now = BootClock.now
            switch span.step(at: now, lastUse: lastUse) {
            case .rest(let moment):
                // In parts: a timer does not go on while the machine sleeps.
                let pause = min(max(1, moment - now), Tuning.longestRest)
                timer = loop.after(.milliseconds(pause)) { [weak self] in self?.step() }
                return
            case .warn(let limit, let left):
                if limit == .lifetime { end = now + left }
                tell(EndRecord(limit, left: left))
            case .end(let limit):
                isEnding = true
                tell(EndRecord(limit, left: 0))
                if gates.isEmpty { return loop.stop() }
                timer = loop.after(Tuning.gatesEnd) { [loop] in loop.stop() }
                return
            }
        }
    }

    private func tell(_ record: EndRecord) {
        for descriptor in gates.keys { HoldPoint.send(record.bytes, to: descriptor) }
    }
}
