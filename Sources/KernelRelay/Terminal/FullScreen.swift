import Glibc

/// A terminal that belongs to this program alone: keys come at once and unechoed, and what stood on the screen before
/// is there again afterwards.
///
/// Concurrency: used by one task. `restore` is also called by the handler of a fatal signal, on whatever thread; what
/// it reads was written before that handler was installed, and it calls nothing that such a handler may not.
package final class FullScreen {
    private let input: Int32
    private let output: Int32
    /// Between `enter` and `leave`.
    package private(set) var isOn = false

    /// - Parameter input: nothing is changed where it is no terminal.
    package init?(input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO) {
        guard isatty(input) == 1, isatty(output) == 1, tcgetattr(input, Former.mode) == 0 else { return nil }
        self.input = input
        self.output = output
        Former.input = input
        Former.output = output
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                Former.restore()
                // SA_RESETHAND: the second coming ends the program as the first would have.
                raise(number)
            }
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | Int32(SA_NODEFER)
            sigaction(fault, &action, nil)
        }
    }

    package func enter() {
        var raw = Former.mode.pointee
        // Ctrl-C and Ctrl-Z still are signals: one can leave whatever state this program is in.
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        raw.c_iflag &= ~tcflag_t(IXON | ICRNL)
        withUnsafeMutableBytes(of: &raw.c_cc) { characters in
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
        }
        Former.isEntered = true
        isOn = true
        tcsetattr(input, TCSADRAIN, &raw)
        // The other screen; the cursor hidden; no line goes on in the next.
        write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
    }

    package func leave() {
        guard isOn else { return }
        isOn = false
        Former.restore()
    }

    package func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(output, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN {
                var watched = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
                poll(&watched, 1, 100)
                continue
            }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    deinit { leave() }
}

/// The terminal as it was. Global, because a signal's handler can be handed nothing.
private enum Former {
    // Written by the one task that enters and leaves; the handler of a fatal signal comes when nothing else does.
    nonisolated(unsafe) static let mode = UnsafeMutablePointer<termios>.allocate(capacity: 1)
    nonisolated(unsafe) static var input: Int32 = -1
    nonisolated(unsafe) static var output: Int32 = -1
    nonisolated(unsafe) static var isEntered = false
    static let farewell: StaticString = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    static func restore() {
        guard isEntered else { return }
        isEntered = false
        _ = Glibc.write(output, farewell.utf8Start, farewell.utf8CodeUnitCount)
        tcsetattr(input, TCSADRAIN, mode)
    }
}
