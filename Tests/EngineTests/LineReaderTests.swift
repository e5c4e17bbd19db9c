import Glibc
import KernelRelay
import Synchronization
import Testing

/// What a client writes, in lines.
@Suite struct LineReaderTests {
    /// All that is made of what is written in these pieces, up to the end.
    private func lines(of pieces: [String], limit: Int) async throws -> [(String, Bool)] {
        let (ours, theirs) = try Pipe.pair()
        let (end, bell) = AsyncStream<Void>.makeStream()
        let collected = Collected()
        let reader = try LineReader(ours, limit: limit) { line, isWhole in
            collected.add(String(decoding: line, as: UTF8.self), isWhole)
        } onEnd: {
            bell.finish()
        }
        for piece in pieces {
            _ = Array(piece.utf8).withUnsafeBytes { write(theirs, $0.baseAddress, $0.count) }
        }
        close(theirs)
        for await _ in end {}
        withExtendedLifetime(reader) {}
        return collected.all
    }

    private final class Collected: Sendable {
        private let lines = Mutex<[(String, Bool)]>([])
        func add(_ line: String, _ isWhole: Bool) { lines.withLock { $0.append((line, isWhole)) } }
        var all: [(String, Bool)] { lines.withLock { $0 } }
    }

    @Test func linesComeWhole() async throws {
        let found = try await lines(of: ["a", "b\n\nc", "d\nlast"], limit: 100)
        #expect(found.map(\.0) == ["ab", "", "cd"] && found.allSatisfy(\.1))
    }

    @Test func aLongOneComesOnceAndCut() async throws {
        let found = try await lines(of: [String(repeating: "x", count: 25), "y\nz\n"], limit: 10)
        #expect(found.map(\.0) == [String(repeating: "x", count: 10), "z"])
        #expect(found.map(\.1) == [false, true])
    }

    @Test func closingIsAnEnd() async throws {
        let (ours, theirs) = try Pipe.pair()
        let (end, bell) = AsyncStream<Void>.makeStream()
        let reader = try LineReader(ours, limit: 10) { _, _ in
        } onEnd: {
            bell.finish()
        }
        reader.close()
        for await _ in end {}
        close(theirs)
    }
}
