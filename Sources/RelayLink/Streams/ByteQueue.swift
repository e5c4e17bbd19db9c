/// Bytes that are put in behind and taken out in front.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var start = 0
    /// What was taken out is dropped when it is worth a copy, not each time.
    private static let worthACopy = 64 * 1024

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

    /// The bytes from an offset on, `limit` at most.
    func withBytes<Result>(from offset: Int, limit: Int, _ use: (UnsafeRawBufferPointer) -> Result) -> Result
    {
        bytes.withUnsafeBytes { all in
            let first = start + offset
            return use(UnsafeRawBufferPointer(rebasing: all[first..<min(all.count, first + limit)]))
        }
    }

    mutating func removeFirst(_ number: Int) {
        start += number
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= Self.worthACopy)
            start = 0
        } else if start > Self.worthACopy, start > bytes.count / 2 {
            bytes.removeFirst(start)
            start = 0
        }
    }

    mutating func removeAll() {
        bytes = []
        start = 0
    }
}
