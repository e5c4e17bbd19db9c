import CLinux
import Glibc
import KernelRelay
import RelayLink
import Testing

@Suite struct FrameChannelTests {
    /// A peer that speaks and goes at once, as an engine's client does whose gate ends.
    @Test func whatAPeerSaidLastIsHeardAndSoIsItsEnd() async throws {
        for length in [1, 1000, 200_000] {
            for _ in 0..<50 {
                var ends: [Int32] = [-1, -1]
                try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
                let channel = FrameChannel(ends[0])
                let theirs = ends[1]
                let bytes = try #require(Frame(payload: [UInt8](repeating: 7, count: length)).encoded)
                let peer = Task.detached {
                    for _ in 0..<3 {
                        var start = 0
                        while start < bytes.count {
                            let count = bytes.withUnsafeBytes {
                                write(theirs, $0.baseAddress! + start, bytes.count - start)
                            }
                            if count <= 0 { break }
                            start += count
                        }
                    }
                    close(theirs)
                }
                for _ in 0..<3 { #expect(await channel.next()?.payload.count == length) }
                #expect(await channel.next() == nil)
                await peer.value
            }
        }
    }
}
