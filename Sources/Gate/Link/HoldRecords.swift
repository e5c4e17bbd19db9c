import RelayLink

/// From a gate: whether anybody needs it. It has a link, or somebody is connected to one of its kernels.
package struct NeedRecord: Equatable {
    package var isNeeded: Bool

    package var bytes: [UInt8] { [isNeeded ? 1 : 0] }

    package init(isNeeded: Bool) { self.isNeeded = isNeeded }

    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 1, bytes[0] <= 1 else { return nil }
        isNeeded = bytes[0] == 1
    }
}

/// From a gate: how long ago one of its kernels was used, in milliseconds; 0 while one is.
package struct UseRecord: Equatable {
    package var ago: Int64

    package var bytes: [UInt8] { withUnsafeBytes(of: ago.bigEndian) { Array($0) } }

    package init(ago: Int64) { self.ago = max(0, ago) }

    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 8 else { return nil }
        ago = bytes.reduce(0) { $0 << 8 | Int64($1) }
        if ago < 0 { return nil }
    }
}

/// From `hold`: what ends the container, and in how many milliseconds; 0 for now.
package struct EndRecord: Equatable {
    package var limit: LifetimeLimit
    package var left: Int64

    package var bytes: [UInt8] { [limit == .idle ? 1 : 2] + UseRecord(ago: left).bytes }

    package init(_ limit: LifetimeLimit, left: Int64) {
        self.limit = limit
        self.left = max(0, left)
    }

    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 9, let number = UseRecord(Array(bytes.dropFirst())) else { return nil }
        switch bytes[0] {
        case 1: limit = .idle
        case 2: limit = .lifetime
        default: return nil
        }
        left = number.ago
    }
}
