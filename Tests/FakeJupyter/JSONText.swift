/// Just enough JSON to write headers and to look one field up without a parser.
package enum JSONText {
    /// `text` as a JSON string, quotes included.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// The raw text of a member of the outermost object, or nil. A string keeps its quotes.
    package static func raw(_ name: String, in json: [UInt8]) -> ArraySlice<UInt8>? {
        let wanted = Array(name.utf8)
        var index = 0
        var depth = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                index += 1
            case UInt8(ascii: "\""):
                let end = endOfString(json, index)
                let after = skipBlanks(json, end)
                let isName = after < json.count && json[after] == UInt8(ascii: ":")
                if depth == 1, isName, json[(index + 1)..<max(index + 1, end - 1)].elementsEqual(wanted) {
                    let start = skipBlanks(json, after + 1)
                    return json[start..<endOfValue(json, start)]
                }
                index = end
            default:
                index += 1
            }
        }
        return nil
    }

    /// A string member, its common escapes undone.
    package static func string(_ name: String, in json: [UInt8]) -> String? {
        guard let raw = raw(name, in: json), raw.first == UInt8(ascii: "\""), raw.count >= 2 else {
            return nil
        }
        let inner = raw.dropFirst().dropLast()
        guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
        var bytes: [UInt8] = []
        var escaped = false
        for byte in inner {
            if escaped {
                switch byte {
                case UInt8(ascii: "n"): bytes.append(10)
                case UInt8(ascii: "r"): bytes.append(13)
                case UInt8(ascii: "t"): bytes.append(9)
                default: bytes.append(byte)
                }
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    package static func int(_ name: String, in json: [UInt8]) -> Int? {
        raw(name, in: json).flatMap { Int(String(decoding: $0, as: UTF8.self)) }
    }

    package static func bool(_ name: String, in json: [UInt8]) -> Bool? {
        raw(name, in: json).flatMap { Bool(String(decoding: $0, as: UTF8.self)) }
    }

    /// One past the closing quote of the string that opens at `start`.
    private static func endOfString(_ json: [UInt8], _ start: Int) -> Int {
        var index = start + 1
        while index < json.count {
            if json[index] == UInt8(ascii: "\\") {
                index += 2
            } else if json[index] == UInt8(ascii: "\"") {
                return index + 1
            } else {
                index += 1
            }
        }
        return json.count
    }

    private static func skipBlanks(_ json: [UInt8], _ start: Int) -> Int {
        var index = start
        while index < json.count, json[index] == 32 || (9...13).contains(json[index]) { index += 1 }
        return index
    }

    private static func endOfValue(_ json: [UInt8], _ start: Int) -> Int {
        var index = start
        var depth = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "\""):
                index = endOfString(json, index)
                if depth == 0 { return index }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return index }
                depth -= 1
                if depth == 0 { return index + 1 }
            case UInt8(ascii: ","), 32, 9...13:
                if depth == 0 { return index }
            default:
                break
            }
            index += 1
        }
        return json.count
    }
}
