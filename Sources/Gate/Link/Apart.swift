import CLinux
import Glibc
import RelayLink

/// `gate --apart`: a gate that outlives whoever started it, as one in a container outlives its engine's client.
/// The gate leads a session of its own; this process copies its stdio to it until either side ends.
package enum Apart {
    /// Returns the exit code.
    package static func run(_ name: String) -> Int32 {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            return fail(.system("socketpair"))
        }
        do throws(GateError) {
            try Spawn.apart(
                "/proc/self/exe", argv: ["relay-shim", "gate", "--name", name], link: ends[1])
        } catch {
            return fail(error)
        }
        close(ends[1])
        return Joiner.run(over: ends[0])
    }

    private static func fail(_ error: GateError) -> Int32 {
        Complaint.say("relay-shim: \(error)")
        return 69
    }
}
