import CLinux
import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

extension SessionLifeTests {
    /// Frames over sockets whose other ends do not do as they should.
    @Suite struct ChannelTests {
        private func pair() throws -> (FrameChannel, Int32) {
            var ends: [Int32] = [-1, -1]
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
            return (FrameChannel(ends[0]), ends[1])
        }

        private static func message(_ count: Int) -> ControlReport {
            .output(stream: .stdout, data: [UInt8](repeating: 7, count: count))
        }

        @Test func aCloseWakesAReader() async throws {
            for _ in 0..<50 {
                let (channel, peer) = try pair()
                async let frame = channel.next()
                if Bool.random() { await Task.yield() }
                channel.close()
                #expect(await frame == nil)
                #expect(await channel.next() == nil, "and nobody waits after it")
                var byte: UInt8 = 0
                #expect(read(peer, &byte, 1) == 0)
                close(peer)
            }
        }

        @Test func aFlushEndsWithItsTime() async throws {
            let (channel, peer) = try pair()
            defer { close(peer) }
            for _ in 0..<40 { channel.send(Self.message(100_000)) }
            #expect(await ends(within: .seconds(10)) { await channel.flush(within: .milliseconds(100)) })
            #expect(channel.pending > 1_000_000)
            channel.close()
        }

        @Test func aFlushEndsWithItsPeer() async throws {
            let (channel, peer) = try pair()
            for _ in 0..<40 { channel.send(Self.message(100_000)) }
            async let flushed = ends(within: .seconds(10)) { await channel.flush(within: .seconds(60)) }
            try await Task.sleep(for: .milliseconds(50))
            close(peer)
            #expect(await flushed)
            #expect(channel.pending == 0)
            #expect(await channel.next() == nil)
            channel.close()
            // What is sent now goes nowhere, and nobody waits for it.
            channel.send(Self.message(10))
            #expect(await ends(within: .seconds(10)) { await channel.flush(within: .seconds(60)) })
        }

        @Test func aFlushEndsWithTheChannel() async throws {
            let (channel, peer) = try pair()
            defer { close(peer) }
            for _ in 0..<40 { channel.send(Self.message(100_000)) }
            async let flushed = ends(within: .seconds(10)) { await channel.flush(within: .seconds(60)) }
            try await Task.sleep(for: .milliseconds(50))
            channel.close()
            #expect(await flushed)
        }

        @Test func whatIsPendingIsCountedAndTaken() async throws {
            let (channel, peer) = try pair()
            let other = FrameChannel(peer)
            #expect(channel.pending == 0)
            let count = 20
            let length = try #require(Frame(payload: Self.message(300_000).json).encoded).count
            for _ in 0..<count { channel.send(Self.message(300_000)) }
            try await eventually("the count") { channel.pending > (count - 3) * length ? () : nil }
            #expect(channel.pending <= count * length)
            for _ in 0..<count { #expect(await other.next()?.payload.count == length - Frame.headerLength) }
            try await eventually("nothing more") { channel.pending == 0 ? () : nil }
            channel.close()
            other.close()
        }

        @Test func largeMessagesPassBothWaysAtOnce() async throws {
            let (channel, peer) = try pair()
            let other = FrameChannel(peer)
            let sizes = [1, 786_000, 0, 500_000, 64 * 1024, 3]
            for size in sizes {
                #expect(channel.send(Self.message(size)))
                #expect(other.send(Self.message(size)))
            }
            let isThrough = await ends(within: .seconds(15)) {
                for end in [channel, other] {
                    for size in sizes {
                        guard let frame = await end.next() else { return }
                        #expect(frame.payload == Self.message(size).json)
                    }
                }
            }
            guard isThrough else {
                Issue.record("both ends wait")
                channel.close()
                return other.close()
            }
            // One that fits no frame is not sent, and leaves the link as it was.
            #expect(!channel.send(Self.message(Frame.largestPayload)))
            channel.send(Self.message(5))
            #expect(try ControlReport(json: try #require(await other.next()).payload) == Self.message(5))
            channel.close()
            #expect(await other.next() == nil)
            other.close()
        }

        /// A peer that reads nothing and speaks: what it says is heard, whichever of the two waits came first.
        @Test(arguments: [true, false])
        func aChannelThatCannotWriteStillReads(readsFirst: Bool) async throws {
            let (channel, peer) = try pair()
            defer { close(peer) }
            let bytes = try #require(Frame(payload: [1, 2, 3]).encoded)
            func hears() async -> Bool {
                async let heard = ends(within: .seconds(5)) { _ = await channel.next() }
                try? await Task.sleep(for: .milliseconds(50))
                #expect(write(peer, bytes, bytes.count) == bytes.count)
                return await heard
            }
            if readsFirst { #expect(await hears()) }
            for _ in 0..<10 { channel.send(Self.message(100_000)) }
            try await eventually("a full socket") { channel.pending > 500_000 ? () : nil }
            for _ in 0..<3 where await !hears() {
                Issue.record("a frame came and was not heard")
                break
            }
            channel.close()
        }

        @Test func aFrameThatIsTooLongEndsReading() async throws {
            let (channel, peer) = try pair()
            defer { close(peer) }
            let bytes = try #require(Frame(payload: [1]).encoded) + [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]
            #expect(write(peer, bytes, bytes.count) == bytes.count)
            #expect(await channel.next()?.payload == [1])
            #expect(await channel.next() == nil)
            #expect(await channel.next() == nil)
            channel.close()
        }

        @Test func nothingIsReadThatNobodyWants() async throws {
            let (channel, peer) = try pair()
            defer { close(peer) }
            _ = fcntl(peer, F_SETFL, O_NONBLOCK)
            let bytes = try #require(Frame(payload: [UInt8](repeating: 1, count: 100_000)).encoded)
            var taken = 0
            for _ in 0..<100 { taken += max(0, write(peer, bytes, bytes.count)) }
            #expect(taken < 4_000_000, "the socket is full, and the channel holds nothing")
            #expect(await channel.next()?.payload.count == 100_000)
            channel.close()
        }

        @Test func descriptorsComeBack() async throws {
            func open() -> Set<String> {
                Set((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [])
            }
            let inode = "socket:"
            var ours: Set<String> = []
            for number in 0..<200 {
                var ends: [Int32] = [-1, -1]
                let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
                try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
                let name = try FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/self/fd/\(ends[0])")
                #expect(name.hasPrefix(inode))
                ours.insert(name)
                let channel = FrameChannel(ends[0])
                channel.send(Self.message(100))
                switch number % 4 {
                case 0: channel.close()
                case 1: _ = await channel.flush(within: .seconds(1))  // and let go of
                case 2:
                    close(ends[1])
                    ends[1] = -1
                    #expect(await channel.next() == nil)
                    channel.close()
                default:
                    if number % 20 == 3 { for _ in 0..<4 { channel.send(Self.message(100_000)) } }
                    channel.close()
                }
                if ends[1] >= 0 { close(ends[1]) }
            }
            let left = try await eventually("their end") { () -> Set<String>? in
                let names = open().compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
                }
                let left = ours.intersection(names)
                return left.isEmpty ? left : nil
            }
            #expect(left.isEmpty)
        }
    }
}
