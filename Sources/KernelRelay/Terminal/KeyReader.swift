/// Makes keys of a terminal's bytes, in whatever pieces they come.
///
/// Escape alone and the beginning of an arrow are the same byte. What follows at once belongs to it; when nothing has
/// come for a moment, the caller says so by `settle`.
package struct KeyReader: Sendable {
    private var held: [UInt8] = []
    /// A sequence is short; what is longer was not typed.
    private static let longest = 16

    package init() {}

    /// Whether a key is open that the next byte may be part of.
    package var isOpen: Bool { !held.isEmpty }

    package mutating func feed(_ bytes: some Sequence<UInt8>) -> [KeyPress] {
        var keys: [KeyPress] = []
        for byte in bytes {
            held.append(byte)
            if let key = finished() {
                keys.append(key)
                held = []
            } else if held.first == 0x1B, held.count == 2, byte == 0x1B {
                keys.append(.escape)
                held = [0x1B]
            }
        }
        return keys
    }

    /// Nothing more has come.
    package mutating func settle() -> [KeyPress] {
        defer { held = [] }
        if held.isEmpty { return [] }
        return [held == [0x1B] ? .escape : .other]
    }

    private func finished() -> KeyPress? {
        if held[0] == 0x1B { return escaped() }
        if held[0] >= 0x80 { return wide() }
        switch held[0] {
        case 0x0A, 0x0D: return .enter
        case 0x09: return .tab
        case 0x08, 0x7F: return .backspace
        case 0x20..<0x7F: return .letter(Character(Unicode.Scalar(held[0])))
        default: return .other
        }
    }

    /// A letter of several bytes.
    private func wide() -> KeyPress? {
        let length = held[0] >= 0xF8 ? 1 : held[0] >= 0xF0 ? 4 : held[0] >= 0xE0 ? 3 : held[0] >= 0xC0 ? 2 : 1
        let isBroken = held.dropFirst().contains { !(0x80..<0xC0).contains($0) }
        if held.count < length, !isBroken { return nil }
        guard let text = String(validating: held, as: UTF8.self), let letter = text.first else {
            return .other
        }
        return .letter(letter)
    }

    private func escaped() -> KeyPress? {
        guard held.count > 1, held[1] != 0x1B else { return nil }
        // Alt with a letter.
        guard held[1] == UInt8(ascii: "[") || held[1] == UInt8(ascii: "O") else { return .other }
        guard held.count > 2, let last = held.last else { return nil }
        // Linux's own console: F1 to F5 are ESC [ [ and a letter.
        if held.count == 3, last == UInt8(ascii: "[") { return nil }
        if held[2] == UInt8(ascii: "[") { return .other }
        guard (0x40...0x7E).contains(last) else { return held.count >= Self.longest ? .other : nil }
        switch last {
        case UInt8(ascii: "A"): return .up
        case UInt8(ascii: "B"): return .down
        case UInt8(ascii: "C"): return .right
        case UInt8(ascii: "D"): return .left
        case UInt8(ascii: "H"): return .home
        case UInt8(ascii: "F"): return .end
        case UInt8(ascii: "~"): return numbered()
        default: return .other
        }
    }

    private func numbered() -> KeyPress {
        switch held.dropFirst(2).prefix(while: { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "~") }) {
        case [UInt8(ascii: "1")], [UInt8(ascii: "7")]: .home
        case [UInt8(ascii: "4")], [UInt8(ascii: "8")]: .end
        case [UInt8(ascii: "5")]: .pageUp
        case [UInt8(ascii: "6")]: .pageDown
        default: .other
        }
    }
}
