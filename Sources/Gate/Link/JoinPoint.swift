import Glibc
import RelayLink

/// Where a new link finds a gate that runs already: a name in the abstract space, which needs no writable
/// folder and is gone with its process.
///
/// A container on the host's network shares these names with the host and with all others like it, so that
/// the name holds the namespaces and the user. Whoever takes the name first is still told apart: both ends
/// look at the other's uid.
package enum JoinPoint {
    package static func name(_ gate: String) -> String { "kernelrelay-gate-\(getuid())-\(place)-\(gate)" }

    /// The container, by its namespaces.
    static var place: String {
        func inode(_ namespace: String) -> UInt64 {
            var facts = stat()
            return stat("/proc/self/ns/\(namespace)", &facts) == 0 ? UInt64(facts.st_ino) : 0
        }
        return "\(inode("pid"))-\(inode("mnt"))"
    }

    /// A gate's name: it is part of a command line, and so no secret.
    package static func isName(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
