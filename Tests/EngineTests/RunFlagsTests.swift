import CLinux
import Foundation
import Glibc
import KernelRelay
import RelayLink
import Testing

@Suite struct RunFlagsTests {
    @Test func portsAreFreeDistinctAndOutOfTheWay() throws {
        let ports = try HostPorts.choose(5)
        #expect(
            Set(ports).count == 5 && ports.allSatisfy { (20000...29999).contains($0) && HostPorts.isFree($0) }
        )
    }

    @Test func aTakenPortIsSeen() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        let port = try HostPorts.choose(1)[0]
        address.sin_port = port.bigEndian
        // On all interfaces: loopback is one of them.
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(bound == 0 && !HostPorts.isFree(port))
    }

    @Test func aPortForSeveralChannelsIsPublishedOnce() {
        let ports = StandardPorts.byChannel.keys.sorted().map {
            RunFlags.Published(channel: $0, container: 7000, host: 20001)
        }
        let flags = RunFlags(ports: ports, shim: "/opt/a,b \"c\"/relay-shim").flags
        #expect(flags.filter { $0[0] == "--publish" } == [["--publish", "127.0.0.1:20001:7000"]])
        let source = #"type=bind,"source=/opt/a,b ""c""/relay-shim",target=/.kernelrelay/relay-shim,readonly"#
        #expect(flags.contains(["--mount", source]))
        #expect(flags.first == ["--init"])
    }

    /// A shell is the judge.
    @Test(arguments: ["plain", "", "a b", "it's", "$HOME", "`x`", "a\nb", "\"", "\\", "*", "~", "--x=y", "ö"])
    func aQuotedWordIsOneWordToAShell(_ word: String) async throws {
        let answer = try await RealEngine.run(["sh", "-c", "printf '<%s>' \(ShellWord.quote(word))"])
        #expect(answer == "<\(word)>")
    }

    @Test func aNameIsMadeOfAnyImage() {
        #expect(Upbringing.usualName("debian") == "kernelrelay-debian")
        #expect(Upbringing.usualName("host:5000/team/py_3:1.2@sha256:ab") == "kernelrelay-py_3")
        #expect(Upbringing.usualName("sha256:abc") == "kernelrelay-sha256")
        #expect(Upbringing.usualName("///") == "kernelrelay")
    }
}
