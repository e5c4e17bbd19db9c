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
    case descriptors = "KR-DESCRIPTORS"
    case system = "KR-SYSTEM"

    /// Whose doing it is.
    public enum Side: String, Sendable {
        case client, kernel, engine, relay, system
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
