/// The last bytes of a stream.
package struct Tail: Sendable {
    private let limit: Int
    private var ring: [UInt8] = []
    private var next = 0

    package init(limit: Int = Tuning.tailBytes) { self.limit = limit }

    package mutating func append(_ bytes: some BidirectionalCollection<UInt8>) {
        for byte in bytes.suffix(limit) {
            if ring.count < limit {
                ring.append(byte)
            } else {
                ring[next] = byte
                next = (next + 1) % limit
            }
        }
    }

    /// Oldest first.
    package var bytes: [UInt8] { Array(ring[next...] + ring[..<next]) }
}
