/// One ZMTP command: what a handshake consists of after the greetings.
package struct Command: Equatable, Sendable {
    package var name: String
    package var body: [UInt8]

    package init(_ name: String, _ body: [UInt8] = []) {
        self.name = name
        self.body = body
    }

    package static func error(_ reason: String) -> Command {
        let text = reason.utf8.prefix(255)
        return Command("ERROR", [UInt8(text.count)] + text)
    }

    /// As a frame: flags, length in one byte or in eight, name with its length, body.
    package var bytes: [UInt8] {
        let payload = [UInt8(name.utf8.count)] + name.utf8 + body
        if payload.count < 256 { return [0x04, UInt8(payload.count)] + payload }
        let length = (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        return [0x06] + length + payload
    }

    package enum Reading: Equatable, Sendable {
        case unfinished
        /// And how many bytes it took.
        case command(Command, Int)
        case wrong(Refusal)
    }

    /// Reads the command at the start of `bytes`.
    package static func read(_ bytes: [UInt8], limit: Int) -> Reading {
        guard let flags = bytes.first else { return .unfinished }
        let header: Int
        switch flags {
        case 0x04: header = 2
        case 0x06: header = 9
        default: return .wrong(.malformed)
        }
        guard bytes.count >= header else { return .unfinished }
        let length = bytes[1..<header].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(limit) else { return .wrong(.tooLong) }
        guard length > 0 else { return .wrong(.malformed) }
        let end = header + Int(length)
        guard bytes.count >= end else { return .unfinished }
        let nameEnd = header + 1 + Int(bytes[header])
        guard nameEnd <= end else { return .wrong(.malformed) }
        let name = String(decoding: bytes[(header + 1)..<nameEnd], as: UTF8.self)
        return .command(Command(name, Array(bytes[nameEnd..<end])), end)
    }

    /// Splits a body that is a text with a length of one byte in front, and what follows.
    package static func shortText(_ bytes: ArraySlice<UInt8>) -> (text: [UInt8], rest: ArraySlice<UInt8>)? {
        guard let length = bytes.first, bytes.count > Int(length) else { return nil }
        let end = bytes.startIndex + 1 + Int(length)
        return (Array(bytes[(bytes.startIndex + 1)..<end]), bytes[end...])
    }

    /// Whether a body is a list of properties: a name with one byte of length, a value with four.
    package static func isMetadata(_ body: [UInt8]) -> Bool {
        var rest = body[...]
        while !rest.isEmpty {
            guard let (name, value) = shortText(rest), !name.isEmpty, value.count >= 4 else { return false }
            let length = value.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard value.count - 4 >= length else { return false }
            rest = value.dropFirst(4 + length)
        }
        return true
    }
}
