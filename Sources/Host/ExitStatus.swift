/// What a program exits with for the code of a failure, after sysexits.h: one list for relay-shim and relayd, which
/// `protocol/errors.json` and `host-errors.json` have as data.
package enum ExitStatus {
    /// EX_UNAVAILABLE: where the list says nothing else, relay-shim exits with it.
    package static let usual: Int32 = 69

    private static let listed: [String: Int32] = [
        // EX_USAGE
        "KR-USAGE": 64, "KR-COMMAND": 64,
        // EX_NOHOST, EX_UNAVAILABLE, EX_TEMPFAIL, EX_OSFILE: a job can tell by them what is to be waited for, started,
        // made or installed.
        "KR-CONTAINER-MISSING": 68, "KR-CONTAINER-STOPPED": 69, "KR-CONTAINER-PAUSED": 75,
        "KR-CONTAINER-FULL": 75, "KR-RELAYD-DRAINING": 75,
        "KR-ENGINE-MISSING": 72, "KR-ENGINE-UNREACHABLE": 72,
        // EX_NOPERM
        "KR-ENGINE-DENIED": 77,
        // EX_OSERR
        "KR-HOST-SYSTEM": 71,
        // EX_CANTCREAT
        "KR-RUNTIME-FOLDER": 73,
    ]
    /// Whole families: EX_NOINPUT, EX_CANTCREAT, and EX_CONFIG.
    private static let families: [(prefix: String, status: Int32)] = [
        ("KR-CONNECTION-", 66), ("KR-SPEC-", 73), ("KR-PROJECT-", 78),
    ]

    package static func of(_ code: String) -> Int32? {
        listed[code] ?? families.first { code.hasPrefix($0.prefix) }?.status
    }
}
