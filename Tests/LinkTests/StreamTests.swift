import Glibc
import RelayLink
import Testing

/// Streams between two ends, of which a test decides what arrives and when.
@Suite struct StreamTests {
    private func noise(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
        var dice = HostileBytesTests.Dice(state: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &dice) }
    }

    /// Sends all of it from one socket to the other, by whatever the test does in between.
    private func carry(
        _ bytes: [UInt8], _ rig: StreamRig, from: Int32, to: Int32, meanwhile: (Int) -> Void = { _ in }
    ) -> [UInt8] {
        var (sent, got, idle, round) = (0, [UInt8](), 0, 0)
        while got.count < bytes.count, idle < 100 {
            let before = sent + got.count
            sent += put(bytes[sent...].prefix(100_000), from)
            rig.step()
            got += get(to) ?? []
            meanwhile(round)
            round += 1
            idle = sent + got.count == before ? idle + 1 : 0
        }
        return got
    }

    @Test func bytesPassBothWays() throws {
        let rig = StreamRig()
        let ends = try rig.stream()
        let bytes = noise(3_000_000)
        #expect(carry(bytes, rig, from: ends.relayd, to: ends.gate) == bytes)
        #expect(carry(bytes, rig, from: ends.gate, to: ends.relayd) == bytes)
        #expect(rig.gate.purposes == [.ports])
    }

    @Test func theGateOpensStreamsToo() throws {
        let rig = StreamRig()
        let (inner, outer) = rig.pair()
        #expect(rig.gate.table.open(.agent(kernel: "k"), inner, owner: "k"))
        rig.move()
        #expect(rig.relayd.purposes == [.agent(kernel: "k")])
        let other = try #require(rig.relayd.accepted.last)
        #expect(carry([1, 2, 3], rig, from: outer, to: other) == [1, 2, 3])
        rig.gate.table.close(owner: "k")
        rig.move()
        #expect(get(other) == nil && rig.relayd.table.isEmpty && rig.gate.table.isEmpty)
    }

    /// A receiver that takes nothing holds up its own stream, at a bound, and no other.
    @Test func aSlowReceiverHoldsUpNobodyElse() throws {
        let rig = StreamRig(window: 100_000)
        let (slow, quick) = (try rig.stream(), try rig.stream())
        var taken = 0
        for _ in 0..<1000 {
            taken += put(noise(10_000), slow.relayd)
            rig.move()
        }
        // One window on its way, and what the four sockets' buffers hold.
        #expect(taken < 100_000 + 4 * 500_000)
        #expect(put(noise(10_000), slow.relayd) == 0, "its sender waits")
        let bytes = noise(1_000_000)
        #expect(carry(bytes, rig, from: quick.relayd, to: quick.gate) == bytes)
        #expect(carry(bytes, rig, from: quick.gate, to: quick.relayd) == bytes)
        var got = 0
        while let more = get(slow.gate), !more.isEmpty {
            got += more.count
            rig.move()
        }
        #expect(got == taken)
    }

    /// What one has to say waits behind one frame of another, however much that has.
    @Test func eachHasItsTurn() throws {
        let rig = StreamRig()
        let (loud, quiet) = (try rig.stream(), try rig.stream())
        rig.relayd.line.room = 1
        #expect(put(noise(150_000), loud.relayd) == 150_000)
        rig.step()
        #expect(put([42], quiet.relayd) == 1)
        var order: [UInt32] = []
        for _ in 0..<20 where Set(order).count < 2 {
            order += rig.relayd.line.frames.filter { $0.payload.first == 0 }.map(\.stream)
            rig.step()
        }
        #expect(Set(order).count == 2 && order.count <= 4, "\(order)")
    }

    @Test func withoutRoomNothingIsRead() throws {
        let rig = StreamRig()
        let ends = try rig.stream()
        rig.relayd.line.room = 0
        #expect(put([1, 2, 3], ends.relayd) == 3)
        rig.move()
        #expect(rig.relayd.line.frames.isEmpty)
        rig.relayd.line.room = nil
        rig.relayd.table.flow()
        rig.move()
        #expect(get(ends.gate) == [1, 2, 3])
    }

    @Test func oneDirectionMayEndBeforeTheOther() throws {
        let rig = StreamRig()
        let ends = try rig.stream()
        #expect(put([1], ends.relayd) == 1)
        shutdown(ends.relayd, Int32(SHUT_WR))
        rig.move()
        #expect(get(ends.gate) == [1])
        #expect(get(ends.gate) == nil)
        #expect(carry([2, 3], rig, from: ends.gate, to: ends.relayd) == [2, 3])
        #expect(!rig.relayd.table.isEmpty)
        shutdown(ends.gate, Int32(SHUT_WR))
        rig.move()
        #expect(get(ends.relayd) == nil)
        #expect(rig.relayd.table.isEmpty && rig.gate.table.isEmpty)
    }

    /// What was said last is delivered, although nobody takes what comes the other way.
    @Test func lastWordsArrive() throws {
        let rig = StreamRig()
        let ends = try rig.stream()
        let words = noise(150_000)
        #expect(put(words, ends.gate) == words.count)
        shutdown(ends.gate, Int32(SHUT_RDWR))
        #expect(carry(words, rig, from: -1, to: ends.relayd) == words)
        #expect(put([1], ends.relayd) == 1)
        rig.move()
        shutdown(ends.relayd, Int32(SHUT_WR))
        rig.move()
        #expect(rig.relayd.table.isEmpty && rig.gate.table.isEmpty)
    }

    @Test func whatIsRefusedEnds() throws {
        let rig = StreamRig()
        rig.gate.accepts = false
        let (inner, outer) = rig.pair()
        #expect(rig.relayd.table.open(.ports, inner, owner: "k"))
        #expect(put([1, 2, 3], outer) == 3)
        rig.move()
        #expect(get(outer) == nil && rig.relayd.table.isEmpty)
        rig.gate.accepts = true
        let ends = try rig.stream()
        #expect(carry([4], rig, from: ends.relayd, to: ends.gate) == [4])
    }

    @Test func anEndOfAnEarlierReleaseHasNone() {
        let rig = StreamRig()
        rig.relayd.table.attach(to: rig.relayd.line, .none)
        let (inner, outer) = rig.pair()
        #expect(!rig.relayd.table.open(.ports, inner, owner: "k"))
        #expect(get(outer) == nil)
        #expect(rig.relayd.line.frames.isEmpty)
    }

    // MARK: - Links that are lost

    /// Whatever was under way when a link ends, each byte arrives, and once.
    @Test(arguments: [1, 3, 10]) func aLostLinkLosesNothing(_ every: Int) throws {
        let rig = StreamRig(window: 50_000)
        let ends = try rig.stream()
        let bytes = noise(1_500_000)
        let got = carry(bytes, rig, from: ends.relayd, to: ends.gate) { round in
            // What is on the line goes with it, in both directions.
            if round % every == 0, round < 300 { rig.link() }
        }
        #expect(got == bytes)
        #expect(
            carry(bytes, rig, from: ends.gate, to: ends.relayd) {
                if $0 % every == 0, $0 < 300 { rig.link() }
            } == bytes)
        shutdown(ends.relayd, Int32(SHUT_WR))
        rig.relayd.table.flow()
        rig.link()
        rig.move()
        #expect(get(ends.gate) == nil, "an end that was lost with the link is said again")
    }

    @Test func whileThereIsNoLinkSendersWait() throws {
        let rig = StreamRig()
        let ends = try rig.stream()
        rig.relayd.table.detach()
        rig.gate.table.detach()
        #expect(put([1, 2], ends.relayd) == 2)
        #expect(put([3], ends.gate) == 1)
        rig.move()
        #expect(get(ends.gate) == [] && get(ends.relayd) == [])
        rig.link()
        rig.move()
        #expect(get(ends.gate) == [1, 2] && get(ends.relayd) == [3])
    }

    /// Another relayd knows nothing of the streams that the gate has, nor another gate of relayd's.
    @Test func whatOnlyOneEndHasIsOver() throws {
        let rig = StreamRig()
        let ends = try rig.stream()
        rig.gate.table.attach(to: rig.gate.line, StreamOffer(window: 1000))
        #expect(get(ends.gate) == nil && rig.gate.table.isEmpty)
        rig.link()
        #expect(get(ends.relayd) == nil && rig.relayd.table.isEmpty)
        let other = try rig.stream()
        #expect(carry([9], rig, from: other.relayd, to: other.gate) == [9])
    }

    // MARK: - Ends that break the rules

    private func bytes(_ kind: StreamFrame.Kind, _ rest: [UInt8] = [], on stream: UInt32 = 1) -> Frame {
        Frame(stream: stream, payload: [kind.rawValue] + rest)
    }

    private static let broken: [(String, StreamFrame.Kind, [UInt8])] = [
        ("more than the window", .bytes, [UInt8](repeating: 0, count: 1001)),
        ("more taken than was sent", .taken, [0, 0, 0, 0, 0, 0, 0, 1]),
        ("opened twice", .open, Array("ports".utf8)),
        ("no such number", .taken, [0]),
    ]

    @Test(arguments: broken.indices) func whoBreaksTheRulesIsReset(_ index: Int) throws {
        let (name, kind, rest) = Self.broken[index]
        let rig = StreamRig(window: 1000)
        let ends = try rig.stream()
        #expect(rig.gate.table.receive(bytes(kind, rest)))
        #expect(rig.gate.table.isEmpty, "\(name)")
        #expect(get(ends.gate)?.isEmpty ?? true)
        rig.move()
        #expect(get(ends.relayd) == nil && rig.relayd.table.isEmpty, "the other end is told")
        #expect(rig.gate.table.receive(bytes(.bytes, [1])), "what was under way is for nobody")
    }

    @Test func bytesBehindTheEndAreRefused() throws {
        let rig = StreamRig()
        let ends = try rig.stream()
        #expect(rig.gate.table.receive(bytes(.shut)))
        #expect(rig.gate.table.receive(bytes(.bytes, [1])))
        rig.move()
        #expect(get(ends.relayd) == nil)
    }

    @Test func numbersAreTheirs() throws {
        let rig = StreamRig()
        _ = try rig.stream()
        #expect(!rig.gate.table.receive(bytes(.bytes, [1], on: 99)), "never opened")
        #expect(
            !rig.gate.table.receive(bytes(.open, Array("ports".utf8), on: 4)), "a number of the gate's own")
        #expect(rig.gate.table.receive(bytes(.open, Array("ports".utf8), on: 99)))
        #expect(rig.gate.accepted.count == 2)
        #expect(rig.gate.table.receive(bytes(.open, Array("ports".utf8), on: 97)), "numbers go upward")
        #expect(rig.gate.accepted.count == 2)
    }

    @Test func aLinkThatLiesAboutWhatArrivedHasNoStreams() throws {
        let rig = StreamRig()
        let ends = try rig.stream()
        rig.relayd.table.attach(to: rig.relayd.line, StreamOffer(window: 1000, received: [1: 5, 7: 0]))
        #expect(get(ends.relayd) == nil && rig.relayd.table.isEmpty)
    }
}
