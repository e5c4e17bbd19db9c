import Host
import RelayLink

/// What a container of `relayd up` may use, and for how long.
struct LimitOptions {
    static let names = Set(["--memory", "--cpus", "--gpus", "--max-kernels"]).union(TimeSpan.options)
    static let usage = """
          --memory SIZE, --cpus NUMBER, --gpus WHICH
                          what it may use, as `run` takes it: --memory 4g --cpus 2 --gpus all
          --max-kernels N how many kernels may run in it at once
          --idle-timeout TIME
                          end it when no kernel in it has been used for so long: seconds, or 30m, 2h, 1d
          --max-lifetime TIME
                          end it when it has run for so long. Its notebooks are told five minutes before
        """

    let lifetimes: Lifetimes
    let mostKernels: Int?
    /// For `run`, before those of whoever calls: of two the engine takes the last.
    let runFlags: [String]

    init(_ arguments: inout Arguments) throws(HostError) {
        lifetimes = try TimeSpan.lifetimes(&arguments)
        mostKernels = try arguments.value("--max-kernels").map { text throws(HostError) in
            guard let number = Int(text), (1...1_000_000).contains(number) else {
                throw HostError(.usage, "--max-kernels takes a whole number from 1 on")
            }
            return number
        }
        var flags: [String] = []
        for name in ["--memory", "--cpus", "--gpus"] {
            guard let value = try arguments.value(name) else { continue }
            guard !value.isEmpty, !value.hasPrefix("-") else {
                throw HostError(.usage, "\(name) cannot be \u{201C}\(printable(value))\u{201D}")
            }
            flags += [name, value]
        }
        runFlags = flags
    }

    /// It is the waiting command that ends.
    func checkKeptCommand() throws(HostError) {
        guard lifetimes.areEndless else {
            throw HostError(
                .usage,
                "nothing ends a container with --keep-command: leave out --idle-timeout and --max-lifetime")
        }
    }
}
