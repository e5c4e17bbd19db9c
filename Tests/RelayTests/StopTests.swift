import FakeJupyter
import Glibc
import KernelRelay
import Testing

extension HeavyTests {
    /// What is left of a relay when it has ended: nothing. Counted in processes of their own, where no other test
    /// has threads or descriptors.
    @Suite struct StopTests {
        @Test func underFullLoadItLeavesNothing() async {
            await #expect(processExitsWith: .success) {
                // Once for all: the book of ports opens a descriptor with every new page.
                let front = try PeerAddress.loopback(key: "front")
                let back = try PeerAddress.loopback(key: "back")
                // Once before it counts: libraries open a thing or two for good.
                try Load.stopAtItsHeight(front, back)
                #expect(Own.settles { Own.threads == 0 && Own.isQuiet })
                for _ in 0..<20 {
                    let before = (threads: Own.threads, descriptors: Own.descriptors)
                    // A function of its own, so that all that it had is gone when it is counted.
                    try Load.stopAtItsHeight(front, back)
                    #expect(Own.settles { Own.threads == before.threads })
                    #expect(Own.settles { Own.descriptors <= before.descriptors })
                }
            }
        }

        @Test func aThousandTimesItLeavesNothing() async {
            await #expect(processExitsWith: .success) {
                let kernel = FakeKernel(try .loopback(key: "back"))
                try kernel.start()
                defer { kernel.stop() }
                let front = try PeerAddress.loopback(key: "front")
                let (notebook, back) = (try front.info(), try kernel.address.info())
                // Once before it counts: libraries open a thing or two for good.
                try Relay(front: notebook, back: back).stop(listening: .zero)
                #expect(Own.settles { Own.isQuiet })
                let before = (threads: Own.threads, descriptors: Own.descriptors)
                for round in 0..<1000 {
                    // On the same five ports every time.
                    let relay = try Relay(front: notebook, back: back)
                    if round.isMultiple(of: 10) {
                        let client = try FakeClient(front)
                        defer { client.close() }
                        #expect(try client.ask("some_request", timeout: 15_000).type == "some_reply")
                    }
                    relay.stop(listening: .zero)
                }
                #expect(Own.settles { Own.threads == before.threads })
                // The kernel's side of the last connections closes when it has heard of their end.
                #expect(Own.settles { Own.descriptors <= before.descriptors })
            }
        }

        /// A relay that is let go of without a word.
        @Test func lettingGoIsEnough() async {
            await #expect(processExitsWith: .success) {
                let front = try PeerAddress.loopback(key: "front")
                let back = try PeerAddress.loopback(key: "back").info()
                let threads = Own.threads
                for _ in 0..<20 { _ = try Relay(front: front.info(), back: back) }
                #expect(Own.settles { Own.threads == threads })
                _ = try TakenPorts(front)
            }
        }

        /// Found, cancelled and in vain, with attempts under way that nobody answers.
        @Test func aProbeLeavesNothing() async {
            await #expect(processExitsWith: .success) {
                let kernel = FakeKernel(try .loopback(key: "back"))
                try kernel.start()
                defer { kernel.stop() }
                let good = try RouteProbe.Candidate(KernelAddress(kernel.address.info()))
                let nobody = try RouteProbe.Candidate(
                    endpoints: (0..<Tuning.mostProbes - 1).map { _ in
                        try PeerAddress.loopback(key: "").endpoint(.hb)
                    })
                let bell = try WakeUp()
                bell.ring()
                func probe() throws {
                    let soon = ContinuousClock.now + .milliseconds(30)
                    _ = try RouteProbe.run([nobody, good], deadline: .now + .seconds(15))
                    _ = try RouteProbe.run([nobody], deadline: soon)
                    _ = try RouteProbe.run([nobody, good], deadline: soon, cancelled: bell.descriptor)
                }
                try probe()
                #expect(Own.settles { Own.isQuiet })
                let before = (threads: Own.threads, descriptors: Own.descriptors)
                for _ in 0..<20 { try probe() }
                #expect(Own.settles { Own.threads == before.threads })
                #expect(Own.settles { Own.descriptors <= before.descriptors })
            }
        }

        /// A relay that is sent to and fro has no more sockets than one that stays.
        @Test func goingToAnotherKernelLeavesNothing() async {
            await #expect(processExitsWith: .success) {
                let kernels = try (0..<2).map { FakeKernel(try .loopback(key: "back \($0)")) }
                for kernel in kernels { try kernel.start() }
                defer { for kernel in kernels { kernel.stop() } }
                let relay = try Relay(front: PeerAddress.loopback(key: "front").info())
                var descriptors: Int?
                for round in 1...20 {
                    try relay.connect(to: KernelAddress(kernels[round % 2].address.info()))
                    #expect(Own.settles { relay.statistics.kernelConnections == round })
                    if let descriptors {
                        #expect(Own.settles { Own.descriptors <= descriptors })
                    } else if round == 2 {
                        #expect(Own.settles { Own.isQuiet })
                        descriptors = Own.descriptors
                    }
                }
                relay.stop(listening: .zero)
            }
        }

        @Test func stoppingTwiceAndFromManyThreads() throws {
            let rig = try Rig()
            defer { rig.end() }
            let relay = rig.relay
            try atOnce(4) { _ in relay.stop(listening: .milliseconds(10)) }
            relay.stop()
            _ = try TakenPorts(rig.front)
        }
    }
}

/// A relay with output pouring through it, requests pouring in, and a client that reads nothing.
private final class Load {
    private let kernel: FakeKernel
    private let relay: Relay
    private let asking: PeerThread
    private let reading: PeerThread
    private let progress: Progress
    private let idle: FakeClient

    static func stopAtItsHeight(_ front: PeerAddress, _ back: PeerAddress) throws {
        let load = try Load(front, back)
        let begun = ContinuousClock.now
        load.relay.stop(listening: .zero)
        #expect(ContinuousClock.now - begun < .seconds(15))
        // Joined threads leave the list in a moment, not at once.
        #expect(Own.settles { !Own.threadNames.contains("kr-relay") })
        // At once, by someone else.
        _ = try TakenPorts(front)
        load.end()
    }

    private init(_ front: PeerAddress, _ back: PeerAddress) throws {
        // One for each load: its storm does not end of itself, however late its reader comes.
        kernel = FakeKernel(back)
        try kernel.start()
        relay = try Relay(front: front.info(), back: kernel.address.info())
        let progress = Progress()
        self.progress = progress
        // It reads no replies; of the output it wants none, or it would hold that up for everybody.
        let idle = try FakeClient(front, topic: "nothing", replyHighWaterMark: 10)
        self.idle = idle
        try #require(try idle.isConnected())
        try idle.request("storm_request", content: #"{"count": 1000000000, "size": 500}"#)
        for _ in 0..<200 { try idle.request("bulk_request", buffers: [[UInt8](repeating: 1, count: 50_000)]) }
        reading = PeerThread {
            guard let reader = try? StormReader(front) else { return }
            while !progress.hasEnded {
                // Joined in the middle of the flood, so that the first number is not the one that it expects.
                try? reader.read(until: .max, silence: 20)
            }
        }
        asking = PeerThread {
            guard let client = try? FakeClient(front, topic: "nothing") else { return }
            while !progress.hasEnded { _ = try? client.ask("some_request", on: .control, timeout: 100) }
        }
        let relay = relay
        let deadline = Deadline(milliseconds: 60_000)
        func isLoaded(_ seen: RelayStatistics) -> Bool {
            seen[.iopub, .toClient].messages >= 5000 && seen[.control, .toClient].messages >= 3
        }
        while !deadline.passed, !isLoaded(relay.statistics) { usleep(1000) }
        guard isLoaded(relay.statistics) else { throw PeerError("there is no load: \(relay.statistics)") }
    }

    func end() {
        progress.end()
        asking.join()
        reading.join()
        idle.close()
        kernel.stop(abrupt: true)
    }
}

/// What this process has.
private enum Own {
    static var descriptors: Int {
        guard let stream = opendir("/proc/self/fd") else { return -1 }
        defer { closedir(stream) }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        return count
    }

    /// Threads of relays and of libzmq. Those of Swift's own pool come and go as they like.
    static var threads: Int {
        threadNames.filter { $0.hasPrefix("kr-") || $0.hasPrefix("ZMQ") }.count
    }

    static var threadNames: [String] {
        var names: [String] = []
        guard let stream = opendir("/proc/self/task") else { return [] }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let id = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let file = fopen("/proc/self/task/\(id)/comm", "r") else { continue }
            defer { fclose(file) }
            var buffer = [CChar](repeating: 0, count: 64)
            guard fgets(&buffer, 64, file) != nil else { continue }
            let name = buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            names.append(String(name.prefix { $0 != "\n" }))
        }
        return names
    }

    /// Waits for what other threads of libzmq still have to do.
    static func settles(_ done: () -> Bool) -> Bool {
        let deadline = Deadline(milliseconds: 15_000)
        while !deadline.passed {
            if done() { return true }
            usleep(5000)
        }
        return done()
    }

    /// The number of descriptors does not change any more.
    static var isQuiet: Bool {
        let first = descriptors
        usleep(50_000)
        return descriptors == first
    }
}
