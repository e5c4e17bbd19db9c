import FakeJupyter
import Gate
import Glibc
import Synchronization
import Testing

@Suite(.serialized) struct MultiplexerTests {
    private func ipc(_ key: String) -> PeerAddress {
        .ipc(prefix: "/tmp/kr-mux-\(getpid())-\(UInt32.random(in: 0...(.max)))", key: key)
    }

    private func remove(_ address: PeerAddress) {
        for number in 1...5 { unlink("\(address.ip)-\(number)") }
    }

    @Test func fiveChannelsReachAKernel() throws {
        let back = ipc("key-a")
        defer { remove(back) }
        let kernel = FakeKernel(back)
        try kernel.start()
        let rig = try MuxRig(ports: MuxRig.freePorts(5))
        rig.register("a", back)
        let client = try FakeClient(rig.front("a", key: "key-a"))
        try client.settle()
        let id = try client.request("execute_request", content: #"{"code": "1+1"}"#)
        #expect(try client.reply(to: id).type == "execute_reply")
        #expect(try client.outputs(of: id).contains { $0.type == "stream" })
        #expect(try client.ping())
        #expect(try client.ask("interrupt_request", on: .control).type == "interrupt_reply")
        let asked = try client.request("execute_request", content: #"{"code": "x", "ask": "name?"}"#)
        let question = try #require(try client.next(on: .stdin))
        try client.answer(question, value: "Ada")
        #expect(try client.reply(to: asked).type == "execute_reply")
        #expect(rig.perform { $0.connections(to: "a") } == 5)
        #expect(rig.perform { $0.isReached })
        client.close()
        #expect(rig.wait { $0["open"] == 0 })
        #expect(!rig.perform { $0.isReached })
        rig.stop()
        kernel.stop()
    }

    @Test func twoKernelsShareOnePort() throws {
        let places = [ipc("key-a"), try PeerAddress.loopback(key: "key-b")]
        defer { remove(places[0]) }
        let kernels = places.map { FakeKernel($0) }
        for kernel in kernels { try kernel.start() }
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        for (name, place) in zip(["a", "b"], places) { rig.register(name, place) }
        let clients = try [("a", "key-a"), ("b", "key-b")].map {
            try FakeClient(rig.front($0.0, key: $0.1), routingID: Array("same".utf8))
        }
        for client in clients { try client.settle() }
        for (client, word) in zip(clients, ["one", "two"]) {
            let id = try client.request("execute_request", content: "{\"code\": \"\(word)\"}")
            _ = try client.reply(to: id)
            let text = try client.outputs(of: id).first { $0.type == "stream" }?.contentText ?? ""
            #expect(text.contains(word))
            #expect(try client.ping())
        }
        for client in clients { client.close() }
        rig.stop()
        for kernel in kernels { kernel.stop() }
    }

    @Test func aKernelThatIsLateIsWaitedFor() throws {
        let back = ipc("key")
        defer { remove(back) }
        let rig = try MuxRig(ports: MuxRig.freePorts(5))
        rig.register("late", back)
        let client = try FakeClient(rig.front("late", key: "key"))
        #expect(rig.wait { $0["accepted"] == 4 && $0["strangers"] == 0 })
        usleep(200_000)
        #expect(rig.counters["joined"] == nil)
        let kernel = FakeKernel(back)
        try kernel.start()
        #expect(rig.wait(milliseconds: 1000) { $0["joined"] == 4 })
        try client.settle()
        client.close()
        rig.stop()
        kernel.stop()
    }

    @Test func aKernelThatNeverListensIsGivenUp() throws {
        let rig = try MuxRig(ports: MuxRig.freePorts(1), kernelDeadline: .milliseconds(200))
        rig.register("never", path: "/tmp/kr-nobody-listens-here")
        let client = try RawSocket(port: rig.ports[0])
        try client.write(opening("never/shell"))
        let answer = client.readToEnd()
        #expect(answer == PlainServer.greeting + Command("WELCOME").bytes + Command.error("300").bytes)
        #expect(rig.counters["refused.kernelSilent"] == 1)
        rig.stop()
    }

    @Test func aKernelThatEndsWhileItIsWaitedForIsGivenUpAtOnce() throws {
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        rig.register("brief", path: "/tmp/kr-nobody-listens-here")
        let client = try RawSocket(port: rig.ports[0])
        try client.write(opening("brief/shell"))
        #expect(rig.wait { $0["accepted"] == 1 && $0["strangers"] == 0 })
        rig.perform { $0.kernelEnded("brief") }
        #expect(client.readToEnd().suffix(12) == Command.error("300").bytes[...])
        #expect(rig.counters["refused.kernelEnded"] == 1)
        rig.stop()
    }

    private func opening(_ user: String, token: String = MuxRig.token) -> [UInt8] {
        let body = [UInt8(user.utf8.count)] + user.utf8 + [UInt8(token.utf8.count)] + token.utf8
        return Greeting(mechanism: "PLAIN", isServer: false).bytes + Command("HELLO", body).bytes
            + Command("INITIATE").bytes
    }

    /// The same answer for both, and nothing that tells them apart.
    @Test func wrongTokenAndUnknownKernelLookAlike() throws {
        let kernel = try RawKernel()
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        rig.register("k", path: kernel.path)
        let refusal = PlainServer.greeting + Command.error("400").bytes
        for bytes in [
            opening("k/shell", token: String(repeating: "x", count: 32)), opening("k/shell", token: ""),
            opening("other/shell"), opening("k/none"), opening("k"), opening(""),
        ] {
            let client = try RawSocket(port: rig.ports[0])
            try client.write(bytes)
            #expect(client.readToEnd() == refusal)
        }
        #expect(rig.counters["refused.credentials"] == 6)
        #expect(rig.wait { $0["open"] == 0 })
        rig.stop()
    }

    @Test func strangersOfEveryKindAreTurnedAway() throws {
        let rig = try MuxRig(ports: MuxRig.freePorts(1), strangerDeadline: .milliseconds(300))
        func answer(_ bytes: [UInt8]) throws -> [UInt8] {
            let client = try RawSocket(port: rig.ports[0])
            try client.write(bytes)
            return Array(client.readToEnd().dropFirst(64))
        }
        #expect(try answer(Array("GET / HTTP/1.1\r\n\r\n".utf8)).isEmpty)
        let null = Greeting(mechanism: "NULL", isServer: false).bytes
        #expect(try answer(null) == Command.error("this gate speaks PLAIN").bytes)
        #expect(try answer([UInt8](repeating: 0x7F, count: 300_000)).isEmpty)
        // Half of a handshake, and nothing more.
        let plain = Greeting(mechanism: "PLAIN", isServer: false).bytes
        #expect(try answer(Array(plain.prefix(20))).isEmpty)
        #expect(try answer(plain).isEmpty)
        // One byte at a time, for ever.
        let loris = try RawSocket(port: rig.ports[0])
        let started = Deadline.now()
        var sent = 0
        for byte in plain + plain {
            do { try loris.write([byte]) } catch { break }
            sent += 1
            usleep(20_000)
        }
        #expect(sent < 128)
        #expect(Deadline.now() - started < 3_000_000_000)
        // Connected and gone again: how VS Code looks whether a port answers.
        for _ in 0..<50 { _ = try RawSocket(port: rig.ports[0]) }
        #expect(rig.wait { $0["open"] == 0 })
        let counters = rig.counters
        #expect(counters["refused.notZMTP"] == 2)
        #expect(counters["refused.mechanism"] == 1)
        #expect((counters["refused.deadline"] ?? 0) >= 3)
        rig.stop()
    }

    /// It says nothing of whether anybody is there when the link has gone that it came by.
    @Test func whatComesByAStreamReachesNobodyWithoutIt() throws {
        let kernel = try RawKernel()
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        rig.register("k", path: kernel.path)
        let (near, far) = try #require(Sockets.pair())
        _ = fcntl(near, F_SETFL, 0)
        let client = RawSocket(near)
        var inside: RawSocket?
        rig.perform { $0.take(far) }
        try together({ inside = try kernel.accept() }, { try client.join("k/shell") })
        #expect(rig.perform { $0.connections(to: "k") } == 1)
        #expect(inside != nil && !rig.perform { $0.isReached })
        rig.stop()
    }

    @Test func aCrowdOfStrangersKeepsNobodyOut() throws {
        let kernel = try RawKernel()
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        rig.register("k", path: kernel.path)
        var crowd = try (0..<400).map { _ in try RawSocket(port: rig.ports[0]) }
        #expect(rig.wait { $0["accepted"] == 400 })
        #expect(rig.counters["strangers"]! <= Int64(Tuning.mostStrangers))
        let client = try RawSocket(port: rig.ports[0])
        var inside: RawSocket?
        try together({ inside = try kernel.accept() }, { try client.join("k/shell") })
        crowd.append(contentsOf: try (0..<100).map { _ in try RawSocket(port: rig.ports[0]) })
        try client.write([1, 2, 3])
        #expect(inside?.read(3) == [1, 2, 3])
        crowd = []
        #expect(rig.wait { $0["open"] == 1 })
        rig.stop()
    }

    // MARK: - Bytes

    /// A joined pair: outside, inside.
    private func pair(_ rig: MuxRig, _ kernel: RawKernel) throws -> (RawSocket, RawSocket) {
        rig.register("k", path: kernel.path)
        let client = try RawSocket(port: rig.ports[0])
        var inside: RawSocket?
        try together({ inside = try kernel.accept() }, { try client.join("k/shell") })
        return (client, try #require(inside))
    }

    private static func pattern(_ count: Int, _ seed: UInt8) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var value = UInt32(seed) &+ 1
        for index in bytes.indices {
            value = value &* 1_664_525 &+ 1_013_904_223
            bytes[index] = UInt8(truncatingIfNeeded: value >> 24)
        }
        return bytes
    }

    /// 100 MB each way at once, with a reader that sleeps first: what the writer gets rid of meanwhile is
    /// bounded by the sockets' own buffers.
    @Test func aHundredMegabytesEachWayAtTheReadersPace() throws {
        let kernel = try RawKernel()
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        let (client, inside) = try pair(rig, kernel)
        let megabytes = 100
        let up = Self.pattern(1 << 20, 1)
        let down = Self.pattern(1 << 20, 2)
        let written = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        func drain(_ socket: RawSocket, _ expected: [UInt8]) {
            for _ in 0..<megabytes where socket.read(expected.count) != expected {
                wrong.add(1, ordering: .relaxed)
            }
        }
        try together(
            {
                for _ in 0..<megabytes {
                    try inside.write(down)
                    written.add(1, ordering: .relaxed)
                }
            },
            { for _ in 0..<megabytes { try client.write(up) } },
            { drain(inside, up) },
            {
                usleep(500_000)
                let ahead = written.load(ordering: .relaxed)
                if ahead > 24 { wrong.add(1000, ordering: .relaxed) }
                drain(client, down)
            })
        #expect(wrong.load(ordering: .relaxed) == 0)
        shutdown(client.descriptor, Int32(SHUT_WR))
        shutdown(inside.descriptor, Int32(SHUT_WR))
        #expect(rig.wait { $0["open"] == 0 })
        // Everything but the handshake's own bytes has gone through a flow.
        #expect((rig.counters["bytesToClient"] ?? 0) >= Int64(megabytes) << 20)
        #expect((rig.counters["bytesToKernel"] ?? 0) >= Int64(megabytes) << 20)
        rig.stop()
    }

    @Test func whatADyingKernelSaidIsDelivered() throws {
        let kernel = try RawKernel()
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        var (client, inside): (RawSocket, RawSocket?) = try pair(rig, kernel)
        let last = Self.pattern(10 << 20, 3)
        // The client has sent what the kernel will never read: the kernel's close is then a reset.
        try client.write(Self.pattern(300_000, 4))
        var received: [UInt8] = []
        let dying = inside!
        inside = nil
        try together(
            {
                try dying.write(last)
                shutdown(dying.descriptor, Int32(SHUT_RDWR))
            },
            {
                usleep(300_000)
                received = client.readToEnd()
            })
        rig.perform { $0.kernelEnded("k") }
        #expect(received == last)
        client = RawSocket(-1)
        #expect(rig.wait { $0["open"] == 0 })
        rig.stop()
    }

    @Test func aHalfClosedConnectionStillHears() throws {
        let kernel = try RawKernel()
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        let (client, inside) = try pair(rig, kernel)
        let question = Self.pattern(2 << 20, 5)
        let answer = Self.pattern(2 << 20, 6)
        try together(
            {
                try client.write(question)
                shutdown(client.descriptor, Int32(SHUT_WR))
                #expect(client.readToEnd() == answer)
            },
            {
                #expect(inside.readToEnd() == question)
                try inside.write(answer)
                shutdown(inside.descriptor, Int32(SHUT_WR))
            })
        #expect(rig.wait { $0["open"] == 0 })
        rig.stop()
    }

    @Test func aClientThatVanishesLeavesNothingOpen() throws {
        var ours: Set<String> = []
        do {
            let kernel = try RawKernel()
            let rig = try MuxRig(ports: MuxRig.freePorts(1))
            for round in 0..<20 {
                var (client, inside): (RawSocket?, RawSocket) = try pair(rig, kernel)
                ours.formUnion(rig.ends(to: kernel))
                if round % 2 == 0 {
                    // A reset instead of an end.
                    var abort = linger(l_onoff: 1, l_linger: 0)
                    let size = socklen_t(MemoryLayout<linger>.size)
                    setsockopt(client!.descriptor, SOL_SOCKET, SO_LINGER, &abort, size)
                }
                try inside.write(Self.pattern(100_000, 7))
                client = nil
                _ = inside.readToEnd()
            }
            #expect(rig.wait { $0["open"] == 0 })
            rig.stop()
        }
        #expect(ours.count > 40, "the listener, and two ends of each round")
        #expect(ours.isDisjoint(with: openDescriptors().values))
    }

    @Test func portsInUseAreSaidSo() throws {
        let rig = try MuxRig(ports: MuxRig.freePorts(1))
        #expect(throws: (any Error).self) { try MuxRig(ports: rig.ports).stop() }
        rig.stop()
    }
}

/// Runs bodies side by side on threads of their own, and rethrows what the first of them threw.
func together(_ bodies: (() throws -> Void)...) throws {
    final class Box: @unchecked Sendable {
        // Each is called on one thread, and the caller waits for all of them.
        let body: () throws -> Void
        let failure = Mutex<(any Error)?>(nil)
        init(_ body: @escaping () throws -> Void) { self.body = body }
    }
    let boxes = bodies.map { Box($0) }
    let threads = boxes.map { box in
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                let box = Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue()
                do { try box.body() } catch { box.failure.withLock { $0 = error } }
                return nil
            }, Unmanaged.passRetained(box).toOpaque())
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
    for box in boxes { if let error = box.failure.withLock({ $0 }) { throw error } }
}
