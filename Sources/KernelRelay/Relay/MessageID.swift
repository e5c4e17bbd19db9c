import CLinux

/// A message's id as a number, found in a header without parsing it: enough to know it again, and to believe nothing by.
enum MessageID {
    private static let key: StaticString = "\"msg_id\""

    @inline(__always)
    static func find(in header: UnsafeRawBufferPointer) -> UInt64? {
        guard header.count <= Tuning.largestHeader,
            let found = memmem(header.baseAddress!, header.count, key.utf8Start, key.utf8CodeUnitCount)
        else { return nil }
        var index = UnsafeRawPointer(found) - header.baseAddress! + key.utf8CodeUnitCount
        while index < header.count, header[index] != UInt8(ascii: "\"") {
            guard header[index] == UInt8(ascii: ":") || header[index] == UInt8(ascii: " ") else { return nil }
            index += 1
        }
        index += 1
        // FNV-1a.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        while index < header.count, header[index] != UInt8(ascii: "\"") {
            hash = (hash ^ UInt64(header[index])) &* 0x100_0000_01b3
            index += 1
        }
        return index < header.count ? hash : nil
    }
}
