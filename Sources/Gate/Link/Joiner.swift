import Glibc
import RelayLink

/// `gate --join`: copies its stdio to the gate that runs already, and back, until either side ends.
package enum Joiner {
    /// Returns the exit code.
    package static func run(_ gate: String) -> Int32 {
        let descriptor: Int32
        switch Sockets.connect(SocketName(abstract: JoinPoint.name(gate))) {
        case .connected(let connected): descriptor = connected
        case .refused, .pending: return fail(GateError(.absent, gate))
        case .failed(let failure): return fail(GateError(.absent, "\(gate): \(errorText(failure))"))
        }
        // Somebody else's process under this name must not get the token.
        guard Sockets.peerUser(of: descriptor) == getuid() else {
            close(descriptor)
            return fail(GateError(.absent, "another user holds the name of \(gate)"))
        }
        return run(over: descriptor)
    }

    /// The same over a connection that is there.
    static func run(over descriptor: Int32) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        defer { close(descriptor) }
        for standard in [STDIN_FILENO, STDOUT_FILENO] {
            _ = fcntl(standard, F_SETFL, fcntl(standard, F_GETFL) | O_NONBLOCK)
        }
        copy(descriptor)
        return 0
    }

    private static func fail(_ error: GateError) -> Int32 {
        Complaint.say("relay-shim: \(error)")
        return 69
    }

    /// One direction: what was read and not yet written.
    private struct Lane {
        let source: Int32
        let sink: Int32
        var bytes: [UInt8] = []
        var start = 0
        var isOver = false

        var waits: pollfd {
            if isOver { return pollfd(fd: -1, events: 0, revents: 0) }
            return start < bytes.count
                ? pollfd(fd: sink, events: Int16(POLLOUT), revents: 0)
                : pollfd(fd: source, events: Int16(POLLIN), revents: 0)
        }

        /// False once the other side has gone.
        mutating func move() -> Bool {
            if start < bytes.count {
                let count = bytes.withUnsafeBytes { write(sink, $0.baseAddress! + start, $0.count - start) }
                if count < 0 { return errno == EAGAIN || errno == EINTR }
                start += count
                return true
            }
            var failure: Int32 = 0
            bytes = [UInt8](unsafeUninitializedCapacity: 64 * 1024) { [source] buffer, count in
                let received = read(source, buffer.baseAddress, buffer.count)
                if received < 0 { failure = errno }
                count = max(0, received)
            }
            start = 0
            if failure == EAGAIN || failure == EINTR { return true }
            isOver = bytes.isEmpty
            return true
        }
    }

    private static func copy(_ gate: Int32) {
        var up = Lane(source: STDIN_FILENO, sink: gate)
        var down = Lane(source: gate, sink: STDOUT_FILENO)
        while !down.isOver {
            var waits = [up.waits, down.waits]
            if poll(&waits, 2, -1) < 0, errno != EINTR { return }
            if waits[0].revents != 0 {
                // One that has ended may have said why before it did.
                if !up.move() { up.isOver = true }
                if up.isOver { shutdown(gate, Int32(SHUT_WR)) }
            }
            if waits[1].revents != 0, !down.move() { return }
        }
    }
}
