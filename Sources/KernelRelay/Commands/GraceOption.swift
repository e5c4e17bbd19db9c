import Host
import RelayLink

/// `--grace` of `relayd end` and `relayd stop`: what a kernel gets between SIGTERM and SIGKILL.
enum GraceOption {
    static func milliseconds(_ arguments: inout Arguments) throws(HostError) -> Int64 {
        guard let text = try arguments.value("--grace") else { return 2500 }
        guard let seconds = Double(text), (0...600).contains(seconds) else {
            throw HostError(.usage, "--grace takes 0 to 600 seconds")
        }
        return Int64(seconds * 1000)
    }
}
