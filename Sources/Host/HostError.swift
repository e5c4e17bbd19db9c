import Glibc

/// The stable name of one thing that can go wrong between a shim, a person and relayd on one host.
/// `protocol/host-errors.json` is the same list as data.
package enum HostErrorCode: String, CaseIterable, Sendable {
    case usage = "KR-USAGE"
    case runtimeFolder = "KR-RUNTIME-FOLDER"
    case relaydMissing = "KR-RELAYD-MISSING"
    case relaydStart = "KR-RELAYD-START"
    case relaydAbsent = "KR-RELAYD-ABSENT"
    case relaydRunning = "KR-RELAYD-RUNNING"
    case relaydForeign = "KR-RELAYD-FOREIGN"
    case relaydLost = "KR-RELAYD-LOST"
    case relaydProtocol = "KR-RELAYD-PROTOCOL"
    case agentMissing = "KR-AGENT-MISSING"
    case kernelFailed = "KR-KERNEL-FAILED"
    case kernelKilled = "KR-KERNEL-KILLED"
    case kernelOutOfMemory = "KR-KERNEL-OUT-OF-MEMORY"
    case kernelLeft = "KR-KERNEL-LEFT"
    case terminalMissing = "KR-TERMINAL-MISSING"
    case system = "KR-HOST-SYSTEM"

    /// What happened, and what mends it.
    package var entry: (summary: String, remedy: String) {
        switch self {
        case .usage: ("the command line cannot be understood", "Ask with --help.")
        case .runtimeFolder:
            (
                "the folder for relayd's socket cannot be used",
                "Set XDG_RUNTIME_DIR, or KERNELRELAY_RUNTIME_DIR, to a folder of your own of mode 0700."
            )
        case .relaydMissing:
            (
                "the program relayd is not there",
                "Put relayd beside relay-shim, or name it in KERNELRELAY_RELAYD."
            )
        case .relaydStart: ("relayd could not be started", "Run `relayd serve` by hand to see why.")
        case .relaydAbsent: ("no relayd runs", "Start a kernel, or run `relayd start`.")
        case .relaydRunning: ("a relayd of yours runs already", "Use it, or end it: relayd stop.")
        case .relaydForeign:
            (
                "another user listens where relayd should",
                "Set KERNELRELAY_RUNTIME_DIR to a folder of your own of mode 0700."
            )
        case .relaydLost:
            ("relayd ended, and the kernel could not be taken up again", "Restart the kernel.")
        case .relaydProtocol:
            (
                "relayd and this program are of different releases",
                "End the old one when its kernels are done: relayd stop."
            )
        case .agentMissing:
            (
                "there is no ssh agent to hand on: SSH_AUTH_SOCK says nothing",
                "Start Jupyter where an ssh-agent runs, or leave out --ssh-agent."
            )
        case .kernelFailed:
            ("the kernel ended by itself", "Read what it wrote above; then restart it.")
        case .kernelKilled:
            ("a signal ended the kernel", "Restart it; if nobody sent that signal, the kernel crashed.")
        case .kernelOutOfMemory:
            (
                "the container's memory limit ended the kernel",
                "Use less memory in the notebook, or give the container more: docker update --memory."
            )
        case .kernelLeft:
            (
                "processes of the kernel could not be ended",
                "Look at them in the container; the system itself does not let go of them."
            )
        case .terminalMissing: ("there is no terminal to draw on", "Without one: relayd status --watch.")
        case .system: ("the system refused what is needed", "Read the cause.")
        }
    }

    /// What a program exits with, after sysexits.h.
    package var exitCode: Int32 { ExitStatus.of(rawValue) ?? ExitStatus.usual }
}

/// One failure on the host: a stable code and what it was about. It never holds a key or a token.
package struct HostError: Error, Sendable, Equatable, CustomStringConvertible {
    package let code: HostErrorCode
    package let context: String

    package init(_ code: HostErrorCode, _ context: String = "") {
        self.code = code
        self.context = context
    }

    /// A system call failed in a way that no other code describes.
    package static func system(_ call: String, _ number: Int32 = errno) -> HostError {
        HostError(.system, "\(call): \(String(cString: strerror(number)))")
    }

    /// What happened, on one line.
    package var message: String {
        context.isEmpty ? code.entry.summary : "\(code.entry.summary): \(context)"
    }
    package var remedy: String { code.entry.remedy }
    package var description: String { "\(code.rawValue): \(message). \(remedy)" }
}
