import FakeJupyter
import Glibc
import KernelRelay
import Testing

extension HeavyTests {
    /// A kernel that prints faster than a client reads. The relay runs in a process of its own, whose memory is
    /// looked at.
    @Suite struct FloodTests {
        private static let few = 200_000
        private static let many = 1_000_000

        @Test func aSlowSubscriberGetsAMillionInOrderAndOnce() throws {
            let flood = try Flood()
            defer { flood.end() }
            let small = try flood.pass(Self.few) { try flood.readSlowly($0, Self.few) }
            let large = try flood.pass(Self.many) { try flood.readSlowly($0, Self.many) }
            try flood.expectBound(small, large)
        }

        /// While it stands still the flood cannot end; a control request must be answered all the same.
        @Test func aSubscriberThatStopsForTenSecondsGetsAMillionInOrderAndOnce() throws {
            let flood = try Flood()
            defer { flood.end() }
            let small = try flood.pass(Self.few) { try flood.stopAndRead($0, Self.few, seconds: 0) }
            let large = try flood.pass(Self.many) { try flood.stopAndRead($0, Self.many, seconds: 10) }
            try flood.expectBound(small, large)
        }
    }
}

/// A kernel, a relay in its own process, and floods that pass it.
private final class Flood {
    /// Bytes of each message's content: a line of output.
    private static let size = 120

    /// What the relay's process may have resident, ever:
    /// - all that it may hold. It counts a frame's bytes and 128 more, and that is about what they take;
    /// - the same again for what libzmq adds: small frames lie in the 8 KiB buffers that they were read into,
    ///   which go with the last of them, and have a counter each;
    /// - the two pipes of every channel, full of messages like these: 256 messages of less than 2 KiB each;
    /// - the program itself with its libraries, of which Foundation is the most: 30 MiB at rest.
    private static let bound = 2 * Tuning.holdLimit + 2 * 5 * Int(Tuning.pipeDepth) * 2048 + (30 << 20)
    /// By how much five times as many messages may raise the mark: allocators do not repeat themselves exactly.
    private static let tolerance = 16 << 20

    private let front: PeerAddress
    private let kernel: FakeKernel
    private let process: RelayProcess
    /// Messages of the floods before this one.
    private var published = 0

    init() throws {
        front = try .loopback(key: "front")
        kernel = FakeKernel(try .loopback(key: "back"))
        try kernel.start()
        process = try RelayProcess(front: front, back: kernel.address)
    }

    /// Lets `count` messages through to a reader; returns the process's high-water mark.
    func pass(_ count: Int, read: (StormReader) throws -> Void) throws -> Int {
        let reader = try StormReader(front)
        // It must not be another subscriber of the flood.
        let client = try FakeClient(front, topic: "nothing")
        try #require(try reader.isConnected() && client.isConnected())
        published = kernel.record.published
        let id = try client.request(
            "storm_request", content: #"{"count": \#(count), "size": \#(Self.size)}"#)
        try read(reader)
        #expect(try client.reply(to: id).type == "storm_reply")
        // The reply came after the last message, so one that came twice would be here by now.
        #expect(try reader.isSilent(for: 50))
        return try process.memory("VmHWM")
    }

    /// Waits until there is room nowhere any more, so that each pass meets the relay with all that it can hold: until
    /// the kernel has not got rid of a single message for a second.
    private func awaitFullness(_ reader: StormReader) throws {
        try reader.read(until: 1000)
        var seen = -1
        while kernel.record.published != seen {
            seen = kernel.record.published
            _ = kernel.wait(milliseconds: 1000) { $0.published != seen }
        }
    }

    /// A pause of a millisecond for every hundred messages: slower than any kernel that floods, and done in a time
    /// that a test may take.
    func readSlowly(_ reader: StormReader, _ count: Int) throws {
        try awaitFullness(reader)
        while reader.count < count {
            try reader.read(until: min(reader.count + 100, count))
            usleep(1000)
        }
    }

    func stopAndRead(_ reader: StormReader, _ count: Int, seconds: UInt32) throws {
        try awaitFullness(reader)
        let client = try FakeClient(front, topic: "nothing")
        defer { client.close() }
        for pause in [0, seconds] {
            sleep(pause)
            let id = try client.request("interrupt_request", on: .control)
            let reply = try client.next(on: .control, timeout: 20_000, where: { $0.parentID == id })
            #expect(reply != nil, "control after \(pause) s; the kernel saw \(sawLast(id))")
            #expect(kernel.record.published < published + count, "the flood did not wait for its reader")
        }
        try reader.read(until: count)
    }

    /// For the report of a failure: on which side of the kernel a request was lost.
    private func sawLast(_ id: String) -> String {
        let record = kernel.record
        let saw = record.messages(on: .control).contains { $0.id == id }
        return
            "\(saw ? "it" : "nothing of it"), \(record.unroutable) unroutable, \(record.failure ?? "alive")"
    }

    func expectBound(_ small: Int, _ large: Int) throws {
        #expect(large < Self.bound)
        #expect(large < small + Self.tolerance)
        let figures = try process.finish()
        // Or the relay never had to hold anything, and the bound says nothing.
        #expect(figures[.iopub, .toClient].everHeld > 0)
        #expect(figures.drops == [])
    }

    func end() { kernel.stop() }
}
