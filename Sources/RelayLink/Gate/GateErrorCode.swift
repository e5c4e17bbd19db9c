/// The stable name of one thing that can go wrong at a gate. `protocol/gate-errors.json` is the same list
/// as data.
package enum GateErrorCode: String, CaseIterable, Sendable {
    case usage = "KR-GATE-USAGE"
    case stdio = "KR-GATE-STDIO"
    case running = "KR-GATE-RUNNING"
    case absent = "KR-GATE-ABSENT"
    case frame = "KR-GATE-FRAME"
    case message = "KR-GATE-MESSAGE"
    case messageType = "KR-GATE-MESSAGE-TYPE"
    case version = "KR-GATE-PROTOCOL"
    case stream = "KR-GATE-STREAM"
    case helloFirst = "KR-GATE-HELLO-FIRST"
    case helloLate = "KR-GATE-HELLO-LATE"
    case helloTwice = "KR-GATE-HELLO-TWICE"
    case token = "KR-GATE-TOKEN"
    case tokenWeak = "KR-GATE-TOKEN-WEAK"
    case linkReplaced = "KR-GATE-LINK-REPLACED"
    case linkEnded = "KR-GATE-LINK-ENDED"
    case address = "KR-GATE-ADDRESS"
    case portInUse = "KR-GATE-PORT-IN-USE"
    case portDenied = "KR-GATE-PORT-DENIED"
    case kernelName = "KR-GATE-KERNEL-NAME"
    case kernelExists = "KR-GATE-KERNEL-EXISTS"
    case kernelUnknown = "KR-GATE-KERNEL-UNKNOWN"
    case kernelEnded = "KR-GATE-KERNEL-ENDED"
    case signal = "KR-GATE-SIGNAL"
    case commandNotFound = "KR-GATE-COMMAND-NOT-FOUND"
    case commandNotExecutable = "KR-GATE-COMMAND-NOT-EXECUTABLE"
    case commandNoexec = "KR-GATE-COMMAND-NOEXEC"
    case commandInterpreter = "KR-GATE-COMMAND-INTERPRETER"
    case commandFormat = "KR-GATE-COMMAND-FORMAT"
    case commandArchitecture = "KR-GATE-COMMAND-ARCHITECTURE"
    case commandTooLong = "KR-GATE-COMMAND-TOO-LONG"
    case folder = "KR-GATE-FOLDER"
    case noPrivateFolder = "KR-GATE-NO-PRIVATE-FOLDER"
    case resources = "KR-GATE-RESOURCES"
    case full = "KR-GATE-FULL"
    case stopping = "KR-GATE-STOPPING"
    case system = "KR-GATE-SYSTEM"

    /// What happened, and what mends it.
    package var entry: (summary: String, remedy: String) {
        switch self {
        case .usage: ("the command line cannot be understood", "Use relay-shim gate [--join] [--name NAME].")
        case .stdio:
            (
                "the link's input or output is not a pipe or a socket",
                "Start the gate by docker exec -i, without -t."
            )
        case .running:
            ("a gate of this name runs here already", "Join it: relay-shim gate --join.")
        case .absent:
            (
                "no gate of this name runs here",
                "Start one: relay-shim gate, as the same user in the same container."
            )
        case .frame:
            ("the link brought a frame longer than 1 MiB", "Speak protocol/link.md; connect again.")
        case .message: ("a control message cannot be understood", "Compare it with protocol/gate.md.")
        case .messageType:
            ("the type of a control message is unknown", "Use the relay and the gate of one release.")
        case .version:
            ("the protocol's version is unknown", "Use the relay and the gate of one release.")
        case .stream: ("no such stream is open", "Send control messages on stream 0.")
        case .helloFirst: ("the first message is not hello", "Say hello, with the token, first.")
        case .helloLate: ("no hello came in time", "Say hello within ten seconds.")
        case .helloTwice: ("hello was said already", "Say hello once on each link.")
        case .token: ("the token is wrong", "Use the token that this gate was started with.")
        case .tokenWeak: ("the token cannot be used", "Use 32 to 255 random characters of ASCII.")
        case .linkEnded: ("the link's input has ended", "Join the gate: relay-shim gate --join.")
        case .linkReplaced: ("another link has joined this gate", "Keep one link to a gate at a time.")
        case .address: ("the address cannot be bound", "Use 0.0.0.0, ::, or an address of the container.")
        case .portInUse:
            (
                "another process in the container listens on the port",
                "End it, or give the gate other ports: the ones that the container publishes."
            )
        case .portDenied:
            ("the user may not bind the port", "Use ports above 1023, or run the gate as root.")
        case .kernelName:
            ("the kernel's id cannot be used", "Use 1 to 64 letters, digits, dots, dashes or underscores.")
        case .kernelExists: ("a kernel of this id is running", "End it first, or use another id.")
        case .kernelUnknown: ("no kernel has this id", "Ask for status: it lists the kernels.")
        case .kernelEnded: ("the kernel has ended", "Spawn it again.")
        case .signal:
            ("the signal is unknown", "Use a number from 1 to 64, or a name such as SIGINT.")
        case .commandNotFound:
            (
                "the command is not in the container",
                "Install it in the image, or name its full path; PATH is that of the container's user."
            )
        case .commandNotExecutable:
            ("the command may not be executed", "Check its mode and its owner: chmod a+x.")
        case .commandNoexec:
            (
                "the command lies on a file system that is mounted noexec",
                "Move it, or mount that folder with exec."
            )
        case .commandInterpreter:
            (
                "the command's interpreter is not in the container",
                "Install what its first line or its ELF header names; a glibc program needs a glibc image."
            )
        case .commandFormat:
            (
                "the command is neither a program nor a script with a #! line",
                "Add the line that names its interpreter, or call the interpreter."
            )
        case .commandArchitecture:
            (
                "the command was built for another processor",
                "Use an image, or install a build, for the container's own architecture."
            )
        case .commandTooLong:
            ("arguments and environment are too long", "Pass large values in a file.")
        case .folder:
            (
                "the working folder cannot be entered",
                "Name a folder that exists in the container and that its user may enter."
            )
        case .noPrivateFolder:
            (
                "no folder can hold the connection file and the sockets",
                "Make one writable: --tmpfs /run, --tmpfs /tmp, or set XDG_RUNTIME_DIR."
            )
        case .resources:
            (
                "the container has too few processes, descriptors or too little memory left",
                "Raise its limits: --pids-limit, --ulimit nofile, --memory."
            )
        case .full:
            ("as many kernels run in the container as may", "End one of them, or use another container.")
        case .stopping: ("the gate is stopping", "Start another gate.")
        case .system: ("the system refused what the gate needs", "Read the cause.")
        }
    }
}

/// One failure: a stable code, what it was about, and what caused it. It never holds a token or a key.
package struct GateError: Error, Sendable, Equatable, CustomStringConvertible {
    package let code: GateErrorCode
    package let context: String

    package init(_ code: GateErrorCode, _ context: String = "") {
        self.code = code
        self.context = context
    }

    /// What happened, on one line.
    package var message: String {
        context.isEmpty ? code.entry.summary : "\(code.entry.summary): \(context)"
    }
    package var remedy: String { code.entry.remedy }
    package var description: String { "\(code.rawValue): \(message). \(remedy)" }
}
