/// What one frame on a stream other than 0 says: its first byte tells which.
///
/// Not control messages: what belongs to a stream must stay in the order of its bytes, and is said thousands of times a
/// second.
package enum StreamFrame: Sendable, Equatable {
    /// The stream begins; nothing answers, and bytes may follow at once.
    case open(StreamPurpose)
    case bytes(ArraySlice<UInt8>)
    /// So many bytes have been handed on since the stream began.
    case taken(Int64)
    /// No bytes follow; the other direction may go on.
    case shut
    /// The stream is over in both directions.
    case reset

    package enum Kind: UInt8, Sendable {
        case bytes = 0
        case open = 1
        case taken = 2
        case shut = 3
        case reset = 4
    }

    /// Nothing for a payload that says nothing.
    package init?(_ payload: [UInt8]) {
        guard let kind = payload.first.flatMap(Kind.init(rawValue:)) else { return nil }
        let rest = payload.dropFirst()
        switch kind {
        case .bytes: self = .bytes(rest)
        case .open:
            guard let purpose = StreamPurpose(String(decoding: rest, as: UTF8.self)) else { return nil }
            self = .open(purpose)
        case .taken:
            guard rest.count == 8 else { return nil }
            let number = rest.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard let total = Int64(exactly: number) else { return nil }
            self = .taken(total)
        case .shut:
            guard rest.isEmpty else { return nil }
            self = .shut
        case .reset:
            guard rest.isEmpty else { return nil }
            self = .reset
        }
    }

    package var kind: Kind {
        switch self {
        case .bytes: .bytes
        case .open: .open
        case .taken: .taken
        case .shut: .shut
        case .reset: .reset
        }
    }

    /// What follows the first byte.
    package var rest: [UInt8] {
        switch self {
        case .bytes(let bytes): Array(bytes)
        case .open(let purpose): Array(purpose.text.utf8)
        case .taken(let total): stride(from: 56, through: 0, by: -8).map { UInt8(total >> Int64($0) & 0xFF) }
        case .shut, .reset: []
        }
    }
}

/// Where a stream leads that the other end opens.
package enum StreamPurpose: Sendable, Equatable {
    /// To the gate's handshake, as a connection to one of its ports.
    case ports
    /// To the ssh agent on relayd's host, for a kernel.
    case agent(kernel: String)

    package init?(_ text: String) {
        if text == "ports" {
            self = .ports
            return
        }
        let prefix = "agent/"
        guard text.hasPrefix(prefix), text.utf8.count <= prefix.utf8.count + 64 else { return nil }
        let kernel = String(text.dropFirst(prefix.count))
        guard !kernel.isEmpty, kernel.unicodeScalars.allSatisfy(\.isPrintable) else { return nil }
        self = .agent(kernel: kernel)
    }

    package var text: String {
        switch self {
        case .ports: "ports"
        case .agent(let kernel): "agent/\(kernel)"
        }
    }
}
