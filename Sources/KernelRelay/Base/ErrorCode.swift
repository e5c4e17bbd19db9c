import Host

/// The stable name of one thing that can go wrong. `protocol/errors.json` is the same list as data.
public enum ErrorCode: String, CaseIterable, Sendable {
    case connectionMissing = "KR-CONNECTION-MISSING"
    case connectionUnreadable = "KR-CONNECTION-UNREADABLE"
    case connectionNotAFile = "KR-CONNECTION-NOT-A-FILE"
    case connectionTooLarge = "KR-CONNECTION-TOO-LARGE"
    case connectionNotJSON = "KR-CONNECTION-NOT-JSON"
    case connectionFieldMissing = "KR-CONNECTION-FIELD-MISSING"
    case connectionFieldDoubled = "KR-CONNECTION-FIELD-DOUBLED"
    case connectionFieldType = "KR-CONNECTION-FIELD-TYPE"
    case connectionPortRange = "KR-CONNECTION-PORT-RANGE"
    case connectionPortDoubled = "KR-CONNECTION-PORT-DOUBLED"
    case connectionTransport = "KR-CONNECTION-TRANSPORT"
    case connectionScheme = "KR-CONNECTION-SCHEME"
    case connectionAddress = "KR-CONNECTION-ADDRESS"
    case connectionCurve = "KR-CONNECTION-CURVE"
    case connectionIPCTooLong = "KR-CONNECTION-IPC-TOO-LONG"
    case connectionNotWritten = "KR-CONNECTION-NOT-WRITTEN"
    case credentials = "KR-CREDENTIALS"
    case connectionLoop = "KR-CONNECTION-LOOP"
    case portInUse = "KR-PORT-IN-USE"
    case bindFailed = "KR-BIND-FAILED"
    case engineMissing = "KR-ENGINE-MISSING"
    case engineUnreachable = "KR-ENGINE-UNREACHABLE"
    case engineDenied = "KR-ENGINE-DENIED"
    case engineFailed = "KR-ENGINE-FAILED"
    case engineTimeout = "KR-ENGINE-TIMEOUT"
    case containerMissing = "KR-CONTAINER-MISSING"
    case containerStopped = "KR-CONTAINER-STOPPED"
    case containerPaused = "KR-CONTAINER-PAUSED"
    case containerForeign = "KR-CONTAINER-FOREIGN"
    case containerEnded = "KR-CONTAINER-ENDED"
    case containerGone = "KR-CONTAINER-GONE"
    case containerRecreated = "KR-CONTAINER-RECREATED"
    case containerAmbiguous = "KR-CONTAINER-AMBIGUOUS"
    case composeMissing = "KR-COMPOSE-MISSING"
    case composeFiles = "KR-COMPOSE-FILES"
    case composeService = "KR-COMPOSE-SERVICE"
    case composeForeign = "KR-COMPOSE-FOREIGN"
    case composeFailed = "KR-COMPOSE-FAILED"
    case containerIdle = "KR-CONTAINER-IDLE"
    case containerLifetime = "KR-CONTAINER-LIFETIME"
    case containerFull = "KR-CONTAINER-FULL"
    case containerTaken = "KR-CONTAINER-TAKEN"
    case containerReserved = "KR-CONTAINER-RESERVED"
    case imageMissing = "KR-IMAGE-MISSING"
    case runRefused = "KR-RUN-REFUSED"
    case imageForeign = "KR-IMAGE-FOREIGN"
    case portsTaken = "KR-PORTS-TAKEN"
    case gateBinary = "KR-GATE-BINARY"
    case gateCopy = "KR-GATE-COPY"
    case gateReadOnly = "KR-GATE-READ-ONLY"
    case gateExec = "KR-GATE-EXEC"
    case gateArchitecture = "KR-GATE-ARCHITECTURE"
    case gateUser = "KR-GATE-USER"
    case gateLost = "KR-GATE-LOST"
    case gateSilent = "KR-GATE-SILENT"
    case gateForeign = "KR-GATE-FOREIGN"
    case gateOld = "KR-GATE-OLD"
    case routeNone = "KR-ROUTE-NONE"
    case portsForeign = "KR-PORTS-FOREIGN"
    case agentUnreachable = "KR-AGENT-UNREACHABLE"
    case command = "KR-COMMAND"
    case kernelUnknown = "KR-KERNEL-UNKNOWN"
    case kernelAmbiguous = "KR-KERNEL-AMBIGUOUS"
    case relaydStopping = "KR-RELAYD-STOPPING"
    case relaydStopped = "KR-RELAYD-STOPPED"
    case relaydDraining = "KR-RELAYD-DRAINING"
    case kernelTaken = "KR-KERNEL-TAKEN"
    case kernelStart = "KR-KERNEL-START"
    case pythonMissing = "KR-PYTHON-MISSING"
    case ipykernelMissing = "KR-IPYKERNEL-MISSING"
    case launchTimeout = "KR-LAUNCH-TIMEOUT"
    case launchInterrupted = "KR-LAUNCH-INTERRUPTED"
    case kernelIdle = "KR-KERNEL-IDLE"
    case kernelLifetime = "KR-KERNEL-LIFETIME"
    case kernelEnded = "KR-KERNEL-ENDED"
    case kernelStopped = "KR-KERNEL-STOPPED"
    case kernelSilent = "KR-KERNEL-SILENT"
    case relayStuck = "KR-RELAY-STUCK"
    case clientSlow = "KR-CLIENT-SLOW"
    case specName = "KR-SPEC-NAME"
    case specExists = "KR-SPEC-EXISTS"
    case specForeign = "KR-SPEC-FOREIGN"
    case specMissing = "KR-SPEC-MISSING"
    case specFolder = "KR-SPEC-FOLDER"
    case projectMissing = "KR-PROJECT-MISSING"
    case projectFile = "KR-PROJECT-FILE"
    case projectJSON = "KR-PROJECT-JSON"
    case projectKey = "KR-PROJECT-KEY"
    case projectValue = "KR-PROJECT-VALUE"
    case projectContainer = "KR-PROJECT-CONTAINER"
    case pageAddress = "KR-PAGE-ADDRESS"
    case pageBind = "KR-PAGE-BIND"
    case pageOpen = "KR-PAGE-OPEN"
    case descriptors = "KR-DESCRIPTORS"
    case system = "KR-SYSTEM"

    /// Whose doing it is.
    public enum Side: String, Sendable {
        case client, kernel, engine, relay, system
    }

    /// What a program that fails for it exits with, after sysexits.h.
    package var exitCode: Int32 {
        if let listed = ExitStatus.of(rawValue) { return listed }
        return switch entry.side {
        case .client: 65
        case .kernel, .engine: 69
        case .relay: 70
        case .system: 71
        }
    }

    /// Whose doing it is, what happened, and what mends it.
    public var entry: (side: Side, summary: String, remedy: String) {
        switch self {
        case .connectionMissing:
            (.client, "there is no connection file at this path", "Check the path.")
        case .connectionUnreadable:
            (
                .client, "the connection file cannot be read",
                "Let the user who runs the relay read it: chmod u+r, or run as its owner."
            )
        case .connectionNotAFile:
            (.client, "the path does not name a regular file", "Name the connection file itself.")
        case .connectionTooLarge:
            (
                .client, "the connection file is far larger than one can be",
                "Name the connection file; a real one has less than a kilobyte."
            )
        case .connectionNotJSON:
            (
                .client, "the connection file is not a JSON object",
                "Let Jupyter write it again: shut the kernel down and start it."
            )
        case .connectionFieldMissing:
            (
                .client, "the connection file lacks a field",
                "Add the field, or let Jupyter write the file again."
            )
        case .connectionFieldDoubled:
            (
                .client, "a field stands twice in the connection file",
                "Keep one of the two: readers differ in which they believe."
            )
        case .connectionFieldType:
            (
                .client, "a field of the connection file has the wrong type",
                "Ports are whole numbers; ip, key, transport and signature_scheme are strings."
            )
        case .connectionPortRange:
            (.client, "a port is out of range", "Use 1 to 65535; for ipc any number from 1.")
        case .connectionPortDoubled:
            (.client, "two channels name the same port", "Give each of the five channels a port of its own.")
        case .connectionTransport:
            (.client, "the transport is unknown", "Use tcp or ipc.")
        case .connectionScheme:
            (
                .client, "the signature scheme is unknown",
                "Use hmac-sha256, or hmac- with another fixed-length hash of Python's hashlib."
            )
        case .connectionAddress:
            (
                .client, "the ip is not an address that can be used",
                "Use an IPv4 or IPv6 address or a host name; for ipc a path."
            )
        case .connectionCurve:
            (
                .client, "the CURVE keys cannot be used",
                "Give both curve_publickey and curve_secretkey, 40 characters of Z85 each, or neither."
            )
        case .connectionIPCTooLong:
            (
                .client, "the ipc path is longer than a Unix socket's name may be",
                "Use a shorter folder: the whole path may have 107 bytes."
            )
        case .connectionNotWritten:
            (
                .client, "the connection file could not be written",
                "Check that the folder exists, can be written to and has room."
            )
        case .credentials:
            (
                .relay, "the credentials for the gate cannot be used",
                "Give a kernel id of 1 to 240 bytes and a token of 1 to 255, and no CURVE keys behind."
            )
        case .connectionLoop:
            (
                .client, "both sides of the relay name the same endpoint",
                "Give the kernel a connection file of its own, with other ports."
            )
        case .portInUse:
            (
                .client, "one of the five ports is taken",
                "Restart the kernel so that Jupyter draws other ports, or end what holds it."
            )
        case .bindFailed:
            (
                .client, "one of the five ports cannot be bound",
                "Check that the ip belongs to this host, and that the folder of an ipc path can be written to."
            )
        case .engineMissing:
            (
                .engine, "the engine's client is not there",
                "Install it (on Debian: apt install docker.io), or name another by --docker."
            )
        case .engineUnreachable:
            (
                .engine, "the engine does not answer",
                "Start it (systemctl start docker), or check DOCKER_HOST and the context."
            )
        case .engineDenied:
            (
                .engine, "you may not talk to the engine",
                "Join its group (sudo usermod -aG docker $USER, then log in again)."
            )
        case .engineFailed:
            (.engine, "the engine refused", "Read the cause.")
        case .engineTimeout:
            (.engine, "the engine took too long", "Look at its load and its log; then try again.")
        case .containerMissing:
            (.engine, "there is no such container", "Compare with `docker ps -a`.")
        case .containerStopped:
            (.engine, "the container is not running", "Start it: docker start NAME.")
        case .containerPaused:
            (.engine, "the container is paused", "Go on with it: docker unpause NAME.")
        case .containerForeign:
            (
                .client, "this container was not made by `relayd up`",
                "Remove it yourself, if you mean it: docker rm -f NAME."
            )
        case .containerEnded:
            (
                .client, "the new container ended at once, and was removed",
                "Give it a command that stays, or leave out --keep-command."
            )
        case .containerGone:
            (.engine, "the container ended under the kernel", "Start it again, then restart the kernel.")
        case .containerRecreated:
            (
                .engine, "the container was made anew under the kernel",
                "Run the cell again, or restart the kernel: the next one runs in the new container."
            )
        case .containerAmbiguous:
            (
                .client, "more than one running container carries these labels",
                "Name one of them, or stop the others."
            )
        case .composeMissing:
            (
                .system, "there is neither `docker compose` nor docker-compose",
                "Install the compose plugin of your engine, or docker-compose."
            )
        case .composeFiles:
            (
                .client, "the compose files cannot be used",
                "Name them by -f, as for compose itself, and run this where they are."
            )
        case .composeService:
            (
                .client, "the compose files have no such service",
                "Compare with `docker compose config --services`."
            )
        case .composeForeign:
            (
                .client, "this file was not written by `relayd compose`, or was changed since",
                "Choose another with -o, or move this one away."
            )
        case .composeFailed:
            (.engine, "compose failed", "Read what it says; the same command can be run by hand.")
        case .containerIdle:
            (
                .engine, "nobody used the container for as long as it may be idle, and it was ended",
                "Start it again: docker start NAME."
            )
        case .containerLifetime:
            (
                .engine, "the container has had its whole lifetime, and was ended",
                "Start it again: docker start NAME."
            )
        case .containerFull:
            (
                .client, "the container has as many kernels as it may have",
                "Shut one of them down, in its notebook or by `relayd end` and its id, or use another container; `relayd up --max-kernels` sets how many."
            )
        case .containerTaken:
            (
                .client, "a container of this name is there already",
                "Use it: relayd add --container NAME. Or give another by --name; one of `up` goes by: relayd down NAME."
            )
        case .containerReserved:
            (
                .client, "the container was made for another kernel, and ends with it",
                "Use another container, or one for each kernel: relayd add --image IMAGE."
            )
        case .imageMissing:
            (
                .engine, "there is no such image, and it cannot be pulled",
                "Compare with `docker images`; build or import it."
            )
        case .runRefused:
            (
                .engine, "the engine did not start a container from the image",
                "Read its words; compare the arguments behind -- with what its run takes."
            )
        case .imageForeign:
            (
                .client, "there is an image of this name that is no snapshot of this container",
                "Choose another TAG, or say --replace."
            )
        case .portsTaken:
            (
                .system, "no five free ports were found on this host",
                "End what holds ports 20000 to 29999, or publish five by hand: relayd ports."
            )
        case .gateBinary:
            (
                .relay, "the program relay-shim is not there",
                "Put relay-shim beside relayd, or name it in KERNELRELAY_SHIM."
            )
        case .gateCopy:
            (
                .engine, "the gate could not be copied into the container",
                "Start the container with the gate mounted: `relayd ports` prints the flags."
            )
        case .gateReadOnly:
            (
                .engine, "the container's root is read-only, so that the gate cannot be copied in",
                "Start the container with the gate mounted: `relayd ports` prints the flags."
            )
        case .gateExec:
            (
                .engine, "the gate could not be started in the container",
                "Read the cause; `relayd ports` prints flags that mount the gate instead."
            )
        case .gateArchitecture:
            (
                .engine, "the container is of another processor than the gate",
                "Build relay-shim for it, and mount that: `relayd ports` prints the flags."
            )
        case .gateUser:
            (
                .client, "the container does not know this user",
                "Use a name from its /etc/passwd, a number, or `host`."
            )
        case .gateLost:
            (
                .engine, "the link to the gate ended",
                "Restart the kernel; if it happens again, look at the engine's log."
            )
        case .gateSilent:
            (
                .engine, "the gate did not answer in time",
                "Look at the container's load; then restart the kernel."
            )
        case .gateForeign:
            (
                .relay, "another relayd's gate serves this container for this user",
                "Stop that relayd, or use another --user."
            )
        case .gateOld:
            (
                .relay, "the gate in the container is of an earlier release, and knows no streams",
                "End it when its kernels are done: relayd stop. The next kernel starts another."
            )
        case .portsForeign:
            (
                .engine, "another user's gate holds the container's exposed ports",
                "Leave out --route published, or use --route tunnel, which needs no port."
            )
        case .agentUnreachable:
            (
                .client, "no ssh agent listens at SSH_AUTH_SOCK",
                "Start one where Jupyter is started (ssh-agent), or leave out --ssh-agent."
            )
        case .routeNone:
            (
                .engine, "the kernel runs, and no way to it answers from this host",
                "Publish the five ports: `relayd ports` prints the flags for docker run."
            )
        case .command:
            (
                .client, "--cmd cannot be understood",
                "Use a JSON list, a Python list, or shell words with their quotes closed."
            )
        case .kernelUnknown:
            (.client, "no such kernel runs", "Compare with `relayd status`.")
        case .kernelAmbiguous:
            (.client, "more than one kernel runs", "Name one: `relayd status` lists them.")
        case .relaydStopping:
            (.relay, "relayd is ending", "Start the kernel again.")
        case .relaydStopped:
            (
                .relay, "relayd was stopped by `relayd stop`, and its kernels with it",
                "Start the kernel again; where a notebook is open Jupyter does so by itself, and starts relayd with it."
            )
        case .relaydDraining:
            (
                .relay, "relayd takes no new kernels",
                "When that is over: relayd drain --off. Then run the cell again."
            )
        case .kernelTaken:
            (
                .client, "the kernel belongs to another connection, or the connection has one",
                "Launch each kernel on a connection of its own."
            )
        case .kernelStart:
            (.kernel, "the kernel ended before it could be reached", "Read what it wrote above.")
        case .pythonMissing:
            (
                .kernel, "there is no python3 and no python in the container",
                "Use an image that has Python, or name the interpreter's path by --cmd."
            )
        case .ipykernelMissing:
            (
                .kernel, "the container's Python has no ipykernel",
                "Install it: python3 -m pip install ipykernel."
            )
        case .launchTimeout:
            (
                .kernel, "the launch took too long",
                "Look at the container's load, or raise the limit: --launch-timeout."
            )
        case .launchInterrupted:
            (.client, "the launch was interrupted", "Run the cell again.")
        case .kernelIdle:
            (
                .kernel, "the kernel was not used for as long as it may be idle, and was ended",
                "Run the notebook's cells again; --idle-timeout in its kernel.json says how long."
            )
        case .kernelLifetime:
            (
                .kernel, "the kernel has had its whole lifetime, and was ended",
                "Run the notebook's cells again; --max-lifetime in its kernel.json says how long."
            )
        case .kernelEnded:
            (
                .kernel, "somebody ended the kernel, by `relayd end`",
                "Run the notebook's cells again, in a new kernel."
            )
        case .kernelStopped:
            (.kernel, "the kernel's process is stopped", "Let it go on: kill -CONT, in the container.")
        case .kernelSilent:
            (
                .kernel, "the kernel does not answer, and its process lives",
                "Interrupt it; if that does not help, restart it."
            )
        case .relayStuck:
            (
                .relay, "the relay's thread is stuck",
                "Kill relayd: the kernels go on, and the next relayd takes them up."
            )
        case .clientSlow:
            (
                .client, "a client does not read what the kernel says",
                "Close that client, or give it time; nothing is lost meanwhile."
            )
        case .specName:
            (
                .client, "the name cannot be a kernel's",
                "Use letters, digits, dots, dashes and underscores; not python, python2 or python3."
            )
        case .specExists:
            (.client, "a kernel of this name is there already", "Choose another --name, or say --replace.")
        case .specForeign:
            (
                .client, "this kernel was not written by `relayd add`",
                "Change it by hand, or by `jupyter kernelspec`."
            )
        case .specMissing:
            (.client, "there is no such kernel", "Compare with `relayd list`.")
        case .specFolder:
            (
                .system, "the kernel's folder cannot be written",
                "Use --user, or a --prefix that you may write to."
            )
        case .projectMissing:
            (
                .client, "nothing names a container for the notebook's project",
                "Write {\"container\": \"NAME\"} into .kernelrelay.json in the project's folder."
            )
        case .projectFile:
            (
                .client, "the project's file cannot be used",
                "Let it be a regular file of your own that nobody else may write: chmod go-w."
            )
        case .projectJSON:
            (
                .client, "the project's file is not a JSON object",
                "Mend it at the place that is named."
            )
        case .projectKey:
            (
                .client, "the project's file has a key that it may not have",
                "Keep container, command, user, workdir and env; the rest is kernel.json's: relayd add --project."
            )
        case .projectValue:
            (
                .client, "a value in the project's file is not what it must be",
                "Write what the cause names."
            )
        case .projectContainer:
            (
                .client, "the project's file names a container that kernel.json does not allow it",
                "If you trust the file, allow it beside what `relayd show` lists: relayd add --project --replace --allow NAME."
            )
        case .pageAddress:
            (
                .client, "this is not where a page can be",
                "Give a port, or an address of this host and a port: 9100, 127.0.0.1:9100, [::1]:9100."
            )
        case .pageBind:
            (
                .client, "the status page cannot be opened there",
                "Take another port, or 0 for any that is free, and an address of this host."
            )
        case .pageOpen:
            (
                .client, "the status page is open elsewhere",
                "Use it where it is: relayd page. Or end relayd and start it anew."
            )
        case .descriptors:
            (
                .system, "too few file descriptors are left for another relay",
                "Raise the limit: ulimit -n, or LimitNOFILE in the systemd unit."
            )
        case .system:
            (
                .system, "the system refused what a relay needs",
                "Read the cause: most often memory or threads have run out."
            )
        }
    }
}
