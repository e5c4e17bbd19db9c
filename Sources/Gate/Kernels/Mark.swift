import Glibc
import RelayLink

/// What tells the processes of one kernel from all others, whatever they do to get away.
///
/// A process that leaves its group and its session, forks twice and clears its environment is no longer
/// related to its kernel by anything that one looks at. But limits are inherited through fork and exec, and
/// the limit on file locks has had no effect since Linux 2.4.25 and can still be set and seen: a number of
/// its own there marks every kernel's tree. The environment carries a mark as well, for systems that
/// refuse to set this limit.
struct Mark {
    /// A limit that nobody sets has no such number.
    static let numbers: Range<UInt64> = 1 << 40..<1 << 62

    let number: UInt64
    private let line: [UInt8]
    let variable: (name: String, value: String)
    private let isSetAsLimit: Bool

    init(kernel: String) {
        number = UInt64.random(in: Self.numbers)
        variable = ("KERNELRELAY_KERNEL", "\(kernel):\(String(number, radix: 36))")
        line = Array("\(variable.name)=\(variable.value)".utf8)
        let seen = try? Self.withLimit(number) { ProcessTable.lockLimit(of: getpid()) }
        isSetAsLimit = seen == number
    }

    /// Runs `body` with the mark set on this process, so that what it spawns has it from the first moment.
    func set<Result>(while body: () throws(GateError) -> Result) throws(GateError) -> Result {
        try Self.withLimit(number, body)
    }

    private static func withLimit<Result>(
        _ number: UInt64, _ body: () throws(GateError) -> Result
    ) throws(GateError) -> Result {
        let locks = __rlimit_resource_t(10)
        var before = rlimit()
        guard getrlimit(locks, &before) == 0 else { return try body() }
        // The soft limit alone: lowering the hard one could not be undone.
        var marked = before
        marked.rlim_cur = min(rlim_t(number), before.rlim_max)
        _ = setrlimit(locks, &marked)
        defer { _ = setrlimit(locks, &before) }
        return try body()
    }

    func isOn(_ pid: Int32) -> Bool {
        isSetAsLimit
            ? ProcessTable.lockLimit(of: pid) == number : ProcessTable.environment(of: pid, contains: line)
    }
}
