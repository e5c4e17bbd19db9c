import CLinux
import Glibc
import Host
import RelayLink

/// The one wait call of a shim, and the effects that `Life` asks for.
///
/// Concurrency: everything here happens on the program's only thread.
final class ShimLoop {
    private let folder: RuntimeFolder
    private let caller: CallerEnvironment
    private let signals: SignalInbox
    private var life: Life
    private var socket: ControlSocket?
    private let outlets: Outlets
    /// Jupyter's process, as long as it is of interest; else -1.
    private var parent: Int32
    private var ending: Ending?
    /// What the last `relayd start` wrote to stderr.
    private var startWords: [UInt8] = []

    init(
        _ launch: ControlRequest.Launch, folder: RuntimeFolder, caller: CallerEnvironment,
        outlets: Outlets
    ) throws(HostError) {
        self.folder = folder
        self.caller = caller
        self.outlets = outlets
        signals = try SignalInbox()
        life = Life(launch)
        parent = -1
        watchParent()
    }

    deinit { if parent >= 0 { close(parent) } }

    /// As ipykernel does: a kernel whose Jupyter was killed ends, since nobody else will end it.
    private func watchParent() {
        guard let pid = caller["JPY_PARENT_PID"].flatMap({ Int32($0) }), pid > 1 else { return }
        parent = kr_pidfd_open(pid)
        // Without that process the number is of another pid namespace, or it has died already, which shows in
        // whose child this is.
        if parent < 0, errno == ESRCH, getppid() == 1 { obey(life.parentEnded()) }
    }

    func run() -> Ending {
        while true {
            if let ending { return ending }
            if socket != nil {
                wait(until: life.deadline)
                continue
            }
            do throws(HostError) {
                socket = try reach()
                if socket != nil, ending == nil { obey(life.reached()) }
            } catch {
                obey(life.unreachable(error, at: .now))
                // Of a start that was followed by a better one nobody needs to hear.
                if ending != nil { outlets.passOn(startWords) }
            }
        }
    }

    // MARK: - Reaching relayd

    /// The relayd that is there, or one that is started; nothing when the shim ends meanwhile.
    private func reach() throws(HostError) -> ControlSocket? {
        if let socket = try ControlSocket.connect(folder.socket) { return socket }
        let deadline = Moment.now + Patience.lock
        var lock = try FileLock(trying: folder.startLock)
        while lock == nil {
            wait(until: .now + Patience.lockTick)
            if ending != nil { return nil }
            if let socket = try ControlSocket.connect(folder.socket) { return socket }
            guard .now < deadline else {
                throw HostError(.relaydStart, "another shim has been at it for \(Patience.lock / 1000) s")
            }
            lock = try FileLock(trying: folder.startLock)
        }
        defer { withExtendedLifetime(lock) {} }
        // Whoever held the lock has started one.
        if let socket = try ControlSocket.connect(folder.socket) { return socket }
        try start()
        if ending != nil { return nil }
        guard let socket = try ControlSocket.connect(folder.socket) else {
            throw HostError(.relaydStart, "it says that it listens, and nobody does")
        }
        return socket
    }

    private func start() throws(HostError) {
        startWords = []
        let start = try RelaydProgram(caller).start()
        let deadline = Moment.now + Patience.start
        while true {
            // Before the last look at its pipe, or what it said in between would be lost.
            let outcome = start.outcome()
            startWords += Self.read(start.stderr, atMost: 16 * 1024 - startWords.count)
            if let outcome {
                if outcome == 0 { return }
                throw HostError(.relaydStart, "`relayd start` ended with \(outcome)")
            }
            guard ending == nil, .now < deadline else {
                start.kill()
                if ending != nil { return }
                throw HostError(.relaydStart, "`relayd start` took over \(Patience.start / 1000) s")
            }
            // Without pidfds (Linux before 5.3) its end is looked for now and then.
            let patience = start.descriptor < 0 ? Patience.lockTick : deadline - .now
            wait(until: .now + patience, also: [start.descriptor])
        }
    }

    private static func read(_ descriptor: Int32, atMost room: Int) -> [UInt8] {
        guard room > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            count = max(0, Glibc.read(descriptor, buffer.baseAddress, room))
        }
    }

    // MARK: - Waiting

    /// Waits once, for anything, and sees to all that happened.
    private func wait(until deadline: Moment?, also: [Int32] = []) {
        let events = Int32(POLLIN) | (socket?.wantsToWrite == true ? Int32(POLLOUT) : 0)
        var waits = [
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: parent, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket?.descriptor ?? -1, events: Int16(events), revents: 0),
        ]
        waits += also.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        waits += outlets.waits
        let patience = deadline.map { Int32(clamping: max(0, $0 - .now)) } ?? -1
        if poll(&waits, nfds_t(waits.count), patience) > 0 {
            outlets.drain()
            if waits[0].revents != 0 {
                for number in signals.take() { obey(life.signalled(number)) }
            }
            if waits[1].revents != 0 { parentEnded() }
            if waits[2].revents != 0 { talk(waits[2].revents) }
        }
        obey(life.timePassed(at: .now))
    }

    private func parentEnded() {
        close(parent)
        parent = -1
        obey(life.parentEnded())
    }

    private func talk(_ events: Int16) {
        guard let socket else { return }
        if Int32(events) & Int32(POLLOUT) != 0 { socket.flush() }
        guard Int32(events) & Int32(POLLIN | POLLHUP | POLLERR) != 0 else { return }
        for event in socket.receive() {
            // What stands behind the end, or behind nonsense, means nothing.
            guard ending == nil, self.socket === socket else { return }
            switch event {
            case .report(let report): obey(life.heard(report, at: .now))
            case .nonsense(let reason): obey(life.heardNonsense(reason))
            case .ended: obey(life.lost(at: .now))
            }
        }
    }

    private func obey(_ actions: [Life.Action]) {
        for action in actions {
            switch action {
            case .send(let request):
                if socket?.send(request) == false {
                    obey(
                        life.unreachable(
                            HostError(.usage, "over a megabyte of words and variables"), at: .now))
                }
            case .print(let stream, let bytes): outlets.put(stream, bytes)
            case .say(let lines): outlets.say(lines)
            case .reachAgain(let milliseconds):
                socket = nil
                let moment = Moment.now + milliseconds
                while ending == nil, .now < moment { wait(until: moment) }
            case .end(let ending): self.ending = ending
            }
        }
    }
}
