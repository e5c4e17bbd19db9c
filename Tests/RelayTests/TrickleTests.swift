import FakeJupyter
import Glibc
import KernelRelay
import Testing

extension HeavyTests {
    /// Output that comes line by line for a client that reads nothing, as over a night. libzmq leaves small frames in
    /// the 8 KiB buffer that they were read into: in a flood a buffer holds many of them, here one message each.
    @Suite struct TrickleTests {
        private static let count = 30_000

        @Test func whatIsHeldCostsWhatItIsSaidToCost() throws {
            let front = try PeerAddress.loopback(key: "front")
            let kernel = FakeKernel(try .loopback(key: "back"))
            try kernel.start()
            defer { kernel.stop() }
            let process = try RelayProcess(front: front, back: kernel.address)
            let reader = try FakeClient(front, iopubHighWaterMark: 1)
            defer { reader.close() }
            try reader.settle()
            let before = try process.memory("RssAnon")

            let line = #"{"name": "stdout", "text": "\#(String(repeating: "x", count: 200))"}"#
            let frames = SignedMessage(
                "stream", session: "k", content: line, identities: [Array("stream".utf8)]
            ).frames(for: kernel.address)
            for _ in 0..<Self.count {
                kernel.sendRaw(frames, on: .iopub)
                // The drip itself: so long that the next one is read on its own.
                usleep(60)
            }
            #expect(kernel.wait(milliseconds: 20_000) { $0.published >= Self.count })
            let grown = try process.memory("RssAnon") - before

            let held = try process.finish()[.iopub, .toClient].rejected[.stopped] ?? 0
            let cost = frames.reduce(0) { $0 + $1.count + Tuning.frameOverhead }
            // Or the sockets' own buffers took it all.
            #expect(held > Self.count / 4)
            // Twice, for the allocator; and what libzmq's pipes take beside it.
            #expect(grown < 2 * held * cost + (16 << 20), "\(held) messages of \(cost) bytes held")
        }
    }
}
