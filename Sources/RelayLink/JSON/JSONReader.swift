extension JSON {
    /// Why a text is not the JSON of a control message.
    package struct Malformed: Error, Equatable {
        package let reason: String
        package let offset: Int
    }

    /// Reads one value and nothing behind it.
    package init(parsing bytes: [UInt8]) throws(Malformed) {
        var reader = JSONReader(bytes: bytes)
        self = try reader.whole()
    }
}

private struct JSONReader {
    let bytes: [UInt8]
    var position = 0
    var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func whole() throws(JSON.Malformed) -> JSON {
        let value = try value()
        skipSpace()
        if position < bytes.count { throw wrong("something stands behind the value") }
        return value
    }

    private func wrong(_ reason: String) -> JSON.Malformed { .init(reason: reason, offset: position) }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    /// The next byte that is not space, not taken.
    private mutating func peek() throws(JSON.Malformed) -> UInt8 {
        skipSpace()
        guard position < bytes.count else { throw wrong("the text ends too early") }
        return bytes[position]
    }

    private mutating func take(_ byte: UInt8, _ name: String) throws(JSON.Malformed) {
        guard try peek() == byte else { throw wrong("\(name) is missing") }
        position += 1
    }

    private mutating func value() throws(JSON.Malformed) -> JSON {
        switch try peek() {
        case UInt8(ascii: "{"): return try nested { reader throws(JSON.Malformed) in try reader.object() }
        case UInt8(ascii: "["): return try nested { reader throws(JSON.Malformed) in try reader.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func nested(
        _ read: (inout JSONReader) throws(JSON.Malformed) -> JSON
    ) throws(JSON.Malformed) -> JSON {
        guard depth < JSON.deepest else { throw wrong("nested too deeply") }
        position += 1
        depth += 1
        let value = try read(&self)
        depth -= 1
        return value
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(JSON.Malformed) -> JSON {
        let end = position + text.utf8CodeUnitCount
        let matches = text.withUTF8Buffer { end <= bytes.count && bytes[position..<end].elementsEqual($0) }
        guard matches else { throw wrong("not a JSON value") }
        position = end
        return value
    }

    private mutating func object() throws(JSON.Malformed) -> JSON {
        var fields: [String: JSON] = [:]
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return .object(fields)
        }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw wrong("a name is missing") }
            let name = try string()
            try take(UInt8(ascii: ":"), "a colon")
            // Readers differ in which of the two they believe.
            guard fields.updateValue(try value(), forKey: name) == nil else {
                throw wrong("a name stands twice")
            }
            if try peek() == UInt8(ascii: ",") {
                position += 1
            } else {
                try take(UInt8(ascii: "}"), "a closing brace")
                return .object(fields)
            }
        }
    }

    private mutating func array() throws(JSON.Malformed) -> JSON {
        var values: [JSON] = []
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return .array(values)
        }
        while true {
            values.append(try value())
            if try peek() == UInt8(ascii: ",") {
                position += 1
            } else {
                try take(UInt8(ascii: "]"), "a closing bracket")
                return .array(values)
            }
        }
    }

    private mutating func number() throws(JSON.Malformed) -> JSON {
        let start = position
        func at(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }
        func digits() -> Int {
            var end = position
            while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(at(end)) { end += 1 }
            return end - position
        }
        if at(position) == UInt8(ascii: "-") { position += 1 }
        let leading = at(position)
        let count = digits()
        guard count > 0, count == 1 || leading != UInt8(ascii: "0") else { throw wrong("not a JSON value") }
        position += count
        var isWhole = true
        if at(position) == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            let count = digits()
            if count == 0 { throw wrong("not a number") }
            position += count
        }
        if at(position) | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            position += 1
            if [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(at(position)) { position += 1 }
            let count = digits()
            if count == 0 { throw wrong("not a number") }
            position += count
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int64(text) { return .whole(value) }
        guard let value = Double(text), value.isFinite else { throw wrong("the number is too large") }
        return .number(value)
    }

    private mutating func string() throws(JSON.Malformed) -> String {
        position += 1
        var text: [UInt8] = []
        while true {
            guard position < bytes.count else { throw wrong("the text ends too early") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw wrong("a string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw wrong("a control character in a string")
            default: text.append(byte)
            }
        }
    }

    private mutating func escape() throws(JSON.Malformed) -> [UInt8] {
        guard position < bytes.count else { throw wrong("the text ends too early") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(try scalar()).utf8)
        default: throw wrong("an unknown escape")
        }
    }

    private mutating func scalar() throws(JSON.Malformed) -> Character {
        var code = try fourDigits()
        if (0xD800..<0xDC00).contains(code) {
            guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
                throw wrong("half a character")
            }
            position += 2
            let low = try fourDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw wrong("half a character") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw wrong("half a character") }
        return Character(scalar)
    }

    private mutating func fourDigits() throws(JSON.Malformed) -> UInt32 {
        guard position + 4 <= bytes.count else { throw wrong("the text ends too early") }
        var code: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw wrong("an unknown escape")
            }
            code = code << 4 | UInt32(digit)
        }
        position += 4
        return code
    }
}
