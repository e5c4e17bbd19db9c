import Foundation
import Glibc
import KernelRelay
import Testing

/// The log never waits for whoever reads it.
@Suite struct LogOutputTests {
    private static func read(_ descriptor: Int32) -> [Substring] {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = max(0, Glibc.read(descriptor, &bytes, bytes.count))
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    }

    @Test func aPipeThatNobodyReads() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var output = LogOutput()
        let lines = 200
        let rest = String(repeating: "x", count: 1000)
        for number in 0..<lines { output.write("\(number) \(rest)", to: ends[1]) }
        let dropped = output.dropped
        #expect(dropped > 0)
        let first = Self.read(ends[0])
        #expect(first.count == lines - dropped && first.first?.hasPrefix("0 ") == true)
        output.write("after", to: ends[1])
        #expect(Self.read(ends[0]) == ["(\(dropped) lines were dropped: nobody read them)", "after"])
        #expect(output.dropped == 0)
    }

    @Test func aLineThatNoPipeTakesAtOnce() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var output = LogOutput()
        for _ in 0..<100 { output.write(String(repeating: "x", count: 100_000), to: ends[1]) }
        #expect(output.dropped > 0 && Self.read(ends[0]).allSatisfy { $0.count == 4095 })
    }

    @Test func aFileGetsAll() throws {
        let path = NSTemporaryDirectory() + "log-output-\(UUID().uuidString)"
        let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        defer {
            close(descriptor)
            unlink(path)
        }
        var output = LogOutput()
        output.write(String(repeating: "x", count: 100_000), to: descriptor)
        lseek(descriptor, 0, SEEK_SET)
        #expect(Self.read(descriptor).first?.count == 100_000 && output.dropped == 0)
    }
}
