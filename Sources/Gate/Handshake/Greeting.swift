/// The first 64 bytes of either side of a ZMTP 3 connection (rfc.zeromq.org/spec/23).
///
/// The gate says 3.0 to both sides, although libzmq knows 3.1: in 3.1 a subscription is a command, in 3.0 a
/// message, and each side writes what the other one's greeting asked for. The gate has greeted the client
/// before it knows the kernel; with 3.0 said to both, both write the same.
package struct Greeting: Equatable, Sendable {
    package static let length = 64

    package var mechanism: String
    package var isServer: Bool

    package init(mechanism: String, isServer: Bool) {
        self.mechanism = mechanism
        self.isServer = isServer
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0]
        bytes += mechanism.utf8.prefix(20)
        bytes += [UInt8](repeating: 0, count: 32 - bytes.count)
        bytes.append(isServer ? 1 : 0)
        bytes += [UInt8](repeating: 0, count: Self.length - bytes.count)
        return bytes
    }

    package enum Reading: Equatable, Sendable {
        case unfinished
        case greeting(Greeting)
        case wrong(Refusal)
    }

    /// Reads as much as is there: what can only be a stranger is refused at its first wrong byte.
    package static func read(_ bytes: some RandomAccessCollection<UInt8>) -> Reading {
        let bytes = Array(bytes.prefix(length))
        if let first = bytes.first, first != 0xFF { return .wrong(.notZMTP) }
        if bytes.count > 9, bytes[9] != 0x7F { return .wrong(.notZMTP) }
        if bytes.count > 10, bytes[10] < 3 { return .wrong(.oldZMTP) }
        guard bytes.count == length else { return .unfinished }
        let name = bytes[12..<32].prefix { $0 != 0 }
        // Nothing but zeros may follow, or two readers could see two names.
        guard bytes[(12 + name.count)..<32].allSatisfy({ $0 == 0 }) else { return .wrong(.mechanism) }
        return .greeting(
            Greeting(mechanism: String(decoding: name, as: UTF8.self), isServer: bytes[32] & 1 == 1))
    }
}
