import Gate
import Glibc
import RelayLink
import Testing

/// What a link owes its reader.
@Suite struct LinkBacklogTests {
    /// Streams that flood fill up what becomes free, so that the link never owes nothing.
    @Test func kernelsAreReadAgainThoughStreamsFlood() throws {
        let (ours, theirs) = try #require(Sockets.pair())
        defer { close(theirs) }
        let link = Link(try EventLoop(), input: ours, output: ours) { close(ours) }
        defer { link.close() }
        let output = [UInt8](repeating: 0, count: 32 * 1024)
        while link.backlog <= Tuning.linkBacklog {
            link.send(.output(kernel: "k", stream: .stdout, data: output))
        }
        var isRelieved = false
        link.onEvent = { if case .relieved = $0 { isRelieved = true } }
        let piece = [UInt8](repeating: 0, count: StreamLimits.piece)
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        var turns = 0
        while !isRelieved, turns < 200 {
            turns += 1
            while link.hasRoom { piece.withUnsafeBytes { link.carry(1, .bytes, $0) } }
            try #require(read(theirs, &buffer, buffer.count) > 0)
            link.flush()
            #expect(isRelieved == (link.backlog <= Tuning.linkRelief))
            try #require(link.backlog > 0)
        }
        #expect(isRelieved)
        #expect(Tuning.linkRelief >= StreamLimits.backlog + StreamLimits.piece)
    }
}
