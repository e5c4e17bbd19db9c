import Glibc
import RelayLink

/// The shim's stdout and stderr.
final class Outlets {
    private let stdout = Outlet(STDOUT_FILENO)
    private let stderr = Outlet(STDERR_FILENO)

    /// What the kernel wrote.
    func put(_ stream: GateReport.OutputStream, _ bytes: [UInt8]) {
        (stream == .stdout ? stdout : stderr).put(bytes)
    }

    /// As another program wrote it.
    func passOn(_ words: [UInt8]) { stderr.put(words) }

    /// Lines of the shim's own, among the kernel's.
    func say(_ lines: [String]) { for line in lines { stderr.say(line) } }

    /// What to wait for: room for what is held.
    var waits: [pollfd] { [stdout, stderr].compactMap(\.waits) }

    func drain() {
        stdout.drain()
        stderr.drain()
        tellGaps(atTheEnd: false)
    }

    private func tellGaps(atTheEnd: Bool) {
        for (outlet, name) in [(stdout, "stdout"), (stderr, "stderr")] {
            guard let count = outlet.takeGap(atTheEnd: atTheEnd) else { continue }
            stderr.say("\(count) bytes of the kernel's \(name) were dropped: nobody read them")
        }
    }

    /// The shim's last lines; whoever reads has a moment for all that is held.
    func finish(_ lines: [String], within milliseconds: Int64) {
        tellGaps(atTheEnd: true)
        for line in lines { stderr.say(line) }
        let deadline = Moment.now + milliseconds
        while case var waits = waits, !waits.isEmpty, .now < deadline {
            poll(&waits, nfds_t(waits.count), Int32(clamping: deadline - .now))
            stdout.drain()
            stderr.drain()
        }
    }
}
