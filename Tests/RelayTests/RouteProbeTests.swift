import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// A way to a kernel is one on which a ZMTP peer shakes hands, and the best of those is taken.
@Suite struct RouteProbeTests {
    /// Accepts connections and says nothing, as a proxy does whose other side is stuck.
    private final class SilentListener {
        let endpoint: String
        private let descriptor: Int32

        init() throws {
            let port = try #require(try PeerAddress.loopback(key: "").ports[.hb])
            endpoint = "tcp://127.0.0.1:\(port)"
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            // The backlog accepts for it.
            try #require(bound == 0 && listen(descriptor, 64) == 0)
        }

        deinit { close(descriptor) }
    }

    private let soon: ContinuousClock.Instant = .now + .seconds(15)

    private func kernel(_ address: PeerAddress? = nil) throws -> FakeKernel {
        let kernel = FakeKernel(try address ?? .loopback(key: "kernel"))
        try kernel.start()
        return kernel
    }

    private func candidate(
        _ endpoints: String..., credentials: GateCredentials? = nil
    ) throws -> RouteProbe.Candidate {
        try RouteProbe.Candidate(endpoints: endpoints, credentials: credentials)
    }

    private func nobody() throws -> String { try PeerAddress.loopback(key: "").endpoint(.hb) }

    @Test func oneThatAnswersIsFound() throws {
        let kernel = try kernel()
        defer { kernel.stop() }
        let candidate = try RouteProbe.Candidate(KernelAddress(kernel.address.info()))
        #expect(candidate.endpoints == [kernel.address.endpoint(.hb)])
        let result = try RouteProbe.run([candidate], deadline: soon)
        #expect(result.outcome == .found(0, endpoints: candidate.endpoints))
        #expect(result.failures == [:])
        // The kernel works on, and has got nothing.
        #expect(kernel.record.received.isEmpty)
        let client = try FakeClient(kernel.address)
        defer { client.close() }
        #expect(try client.ping(timeout: 10_000))
    }

    @Test func oneThatListensLaterIsFound() throws {
        let folder = "/tmp/kr-probe-\(getpid())-\(UInt32.random(in: 0...(.max)))"
        let (tcp, ipc) = (try PeerAddress.loopback(key: "k"), PeerAddress.ipc(prefix: folder, key: "k"))
        for address in [tcp, ipc] {
            let kernel = FakeKernel(address)
            let starter = PeerThread {
                usleep(300_000)
                try? kernel.start()
            }
            let result = try RouteProbe.run([candidate(address.endpoint(.hb))], deadline: soon)
            #expect(result.outcome == .found(0, endpoints: [address.endpoint(.hb)]))
            starter.join()
            kernel.stop()
        }
        for number in 1...5 { unlink("\(folder)-\(number)") }
    }

    @Test func whatIsNoKernelIsNoWay() throws {
        let silent = try SilentListener()
        let hangingUp = try CutProxy(to: UInt16(nobody().split(separator: ":").last!)!)
        defer { hangingUp.end() }
        let refused = try nobody()
        let cut = "tcp://127.0.0.1:\(hangingUp.port)"
        let begun = ContinuousClock.now
        let result = try RouteProbe.run(
            [candidate(silent.endpoint, refused), candidate(cut)], deadline: .now + .milliseconds(500))
        #expect(result.outcome == .nothing)
        #expect(result.failures == [silent.endpoint: .silent, refused: .refused, cut: .hungUp])
        #expect(ContinuousClock.now - begun >= .milliseconds(500))
    }

    /// All of these are there from the beginning; which of them is heard first is a matter of luck.
    @Test func theBestThatAnswersIsTaken() throws {
        let kernels = try (0..<3).map { _ in try kernel() }
        defer { for kernel in kernels { kernel.stop() } }
        let silent = try SilentListener()
        let (good, better, best) = (
            kernels[0].address.endpoint(.hb), kernels[1].address.endpoint(.hb),
            kernels[2].address.endpoint(.hb)
        )
        for _ in 0..<20 {
            let result = try RouteProbe.run(
                [
                    candidate(silent.endpoint), candidate(nobody()), candidate(best, better), candidate(good),
                ], deadline: soon)
            #expect(result.outcome == .found(2, endpoints: [best, better]))
        }
    }

    /// A kernel that appears behind one route appears behind all.
    @Test func aKernelThatComesLateIsTakenByItsBestWay() throws {
        let address = try PeerAddress.loopback(key: "k")
        let proxy = try CutProxy(to: try #require(address.ports[.hb]))
        defer { proxy.end() }
        let kernel = FakeKernel(address)
        let starter = PeerThread {
            usleep(200_000)
            try? kernel.start()
        }
        let result = try RouteProbe.run(
            [candidate(address.endpoint(.hb)), candidate("tcp://127.0.0.1:\(proxy.port)")], deadline: soon)
        #expect(result.outcome == .found(0, endpoints: [address.endpoint(.hb)]))
        starter.join()
        kernel.stop()
    }

    @Test func aGateThatDoesNotKnowTheTokenIsNoWayEver() throws {
        var address = try PeerAddress.loopback(key: "k")
        address.plain = .init(userPrefix: "kernel-7", password: "the right token")
        let gate = try kernel(address)
        defer { gate.stop() }
        let endpoint = address.endpoint(.shell)
        func run(_ kernel: String, _ token: String) throws -> RouteProbe.Result {
            // A deadline that this test would not live to see.
            try RouteProbe.run(
                [candidate(endpoint, credentials: GateCredentials(kernel: kernel, token: token))],
                deadline: .now + .seconds(20))
        }
        for result in try [run("kernel-7", "a guess"), run("kernel-8", "the right token")] {
            #expect(result.outcome == .nothing)
            #expect(result.failures == [endpoint: .credentials])
        }
        #expect(try run("kernel-7", "the right token").outcome == .found(0, endpoints: [endpoint]))
        #expect(gate.record.logins.map(\.accepted) == [false, false, true])
        #expect(gate.record.logins.last?.user == "kernel-7/hb")
    }

    @Test func isCancelledByADescriptor() throws {
        let silent = try SilentListener()
        let bell = try WakeUp()
        let candidates = [try candidate(silent.endpoint), try candidate(nobody())]
        let ringer = PeerThread {
            usleep(100_000)
            bell.ring()
        }
        for _ in 0..<2 {
            // The second time it has rung already.
            let result = try RouteProbe.run(
                candidates, deadline: .now + .seconds(20), cancelled: bell.descriptor)
            #expect(result.outcome == .cancelled)
        }
        ringer.join()
    }

    @Test func triesNoMoreThanItMay() throws {
        let kernel = try kernel()
        defer { kernel.stop() }
        let many = try RouteProbe.Candidate(endpoints: (0..<100).map { _ in try nobody() })
        let alone = try RouteProbe.run([many], deadline: .now + .milliseconds(200))
        #expect(alone.outcome == .nothing)
        #expect(alone.failures.count == Tuning.mostProbes)
        // A way that comes after so many has its place all the same.
        let good = try candidate(kernel.address.endpoint(.hb))
        let result = try RouteProbe.run([many, good], deadline: soon)
        #expect(result.outcome == .found(1, endpoints: good.endpoints))
        #expect(result.failures.count == Tuning.mostProbes - 1)
        #expect(try RouteProbe.run([], deadline: soon).outcome == .nothing)
    }

    @Test func whatCannotBeTriedIsRefused() throws {
        #expect(throws: RelayError.self) { try candidate("tcp://a;b:1") }
        #expect(throws: RelayError.self) {
            try candidate("tcp://a:1", credentials: GateCredentials(kernel: "", token: "t"))
        }
    }
}

/// Which way is taken, step by step.
@Suite struct RouteChoiceTests {
    private let now = ContinuousClock.now

    @Test func theBestIsTakenAtOnce() {
        var choice = RouteChoice(endpoints: [1, 1])
        #expect(!choice.isDecided(now: now) && choice.best == nil && choice.deadline == nil)
        choice.note(.answered, 0, 0, now: now)
        #expect(choice.isDecided(now: now))
        #expect(choice.best?.candidate == 0)
    }

    @Test func aBetterOneHasAShortGrace() {
        var choice = RouteChoice(endpoints: [1, 1, 1])
        choice.note(.answered, 2, 0, now: now)
        #expect(!choice.isDecided(now: now))
        choice.note(.answered, 1, 0, now: now + Tuning.routeGrace / 2)
        // Not again from the beginning.
        #expect(choice.deadline == now + Tuning.routeGrace)
        #expect(!choice.isDecided(now: now + Tuning.routeGrace / 2))
        #expect(choice.isDecided(now: now + Tuning.routeGrace))
        #expect(choice.best?.candidate == 1)
    }

    @Test func nobodyWaitsForWhatNeverComes() {
        var choice = RouteChoice(endpoints: [1, 1])
        choice.note(.answered, 1, 0, now: now)
        choice.note(.never, 0, 0, now: now)
        #expect(choice.isDecided(now: now))
        var hopeless = RouteChoice(endpoints: [1, 2])
        hopeless.note(.never, 0, 0, now: now)
        hopeless.note(.never, 1, 0, now: now)
        #expect(!hopeless.isDecided(now: now))
        hopeless.note(.never, 1, 1, now: now)
        #expect(hopeless.isDecided(now: now) && hopeless.best == nil)
    }

    @Test func theOtherEndpointsOfTheBestHaveAGraceToo() {
        var choice = RouteChoice(endpoints: [3])
        choice.note(.answered, 0, 1, now: now)
        #expect(!choice.isDecided(now: now))
        choice.note(.answered, 0, 0, now: now)
        #expect(choice.isDecided(now: now + Tuning.routeGrace))
        #expect(choice.best?.endpoints == [0, 1])
    }
}
