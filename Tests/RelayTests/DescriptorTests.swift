import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// libzmq aborts the process when it has no descriptor left; a relay is refused before that.
@Suite struct DescriptorTests {
    @Test func tooFewAreAnErrorAndNoCrash() async {
        // The limit is the whole process's, so it is lowered in one of its own.
        await #expect(processExitsWith: .success) {
            let front = try PeerAddress.loopback(key: "front").info()
            let back = try PeerAddress.loopback(key: "back").info()
            var limit = rlimit(rlim_cur: rlim_t(Descriptors.open()! + 60), rlim_max: 4096)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            do throws(RelayError) {
                _ = try Relay(front: front, back: back)
                exit(1)
            } catch {
                guard error.code == .descriptors else { exit(2) }
            }
            limit.rlim_cur = 1024
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            try Relay(front: front, back: back).stop(listening: .zero)
        }
    }
}
