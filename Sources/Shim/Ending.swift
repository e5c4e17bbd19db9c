import Glibc
import Host
import RelayLink

/// How a shim ends: as the kernel did, or with a code that says what kept it from having one.
package struct Ending: Sendable, Equatable {
    package enum Way: Sendable, Equatable {
        case code(Int32)
        case signal(Int32)
    }
    package var way: Way
    /// For stderr, without the program's name.
    package var lines: [String] = []

    package init(_ way: Way, lines: [String] = []) {
        self.way = way
        self.lines = lines
    }

    package init(_ error: HostError) {
        self.init(.code(error.code.exitCode), lines: [error.description])
    }

    /// What relayd said when it could not, in one line whatever it holds.
    package init(code: String, message: String, remedy: String) {
        let text = "\(code): \(message). \(remedy)"
        self.init(.code(ExitStatus.of(code) ?? ExitStatus.usual), lines: [printable(text, limit: 4000)])
    }

    /// - Parameters:
    ///   - passedOn: signals that the kernel was sent from here.
    package init(_ exit: GateReport.Exit, passedOn: Set<Int32>) {
        // Whoever asked for the end need not be told of it.
        let wasAsked = !passedOn.isDisjoint(with: Self.terminating)
        switch exit.cause {
        case .code(let code):
            way = .code(code)
            if exit.oomKilled {
                lines = [HostError(.kernelOutOfMemory).description]
            } else if code != 0, !wasAsked {
                lines = [HostError(.kernelFailed, "exit code \(code)").description]
            }
        case .signal(let number, let coreDumped):
            way = .signal(number)
            if exit.oomKilled {
                lines = [HostError(.kernelOutOfMemory).description]
            } else if !wasAsked, !passedOn.contains(number) {
                let core = coreDumped ? ", core dumped" : ""
                lines = [HostError(.kernelKilled, "signal \(number)\(core)").description]
            }
        }
        if let left = exit.left, left > 0 { lines.append(HostError(.kernelLeft, "\(left)").description) }
    }

    static let terminating: Set<Int32> = [SIGTERM, SIGHUP, SIGQUIT]

    /// The exit code; does not return where the shim is to die by a signal.
    package func perform() -> Int32 {
        switch way {
        case .code(let code): return code
        case .signal(let number):
            // These stop or do nothing instead of ending: a kernel that "died" of one is a hostile report.
            let harmless = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]
            if !harmless.contains(number) { Self.die(number) }
            return 128 + number
        }
    }

    private static func die(_ number: Int32) {
        // The kernel's core may be of use, the shim's is not.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        signal(number, SIG_DFL)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        kill(getpid(), number)
        sigprocmask(SIG_UNBLOCK, &set, nil)
    }
}
