import FoundationEssentials

/// Any JSON, kept so that fields which this version does not know survive a rewrite.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case whole(Int64)
    /// Up to 38 digits, which a Double would round.
    case decimal(Decimal)
    /// What is too large or too small for a Decimal.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

extension JSONValue: Codable {
    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let whole = try? value.decode(Int64.self) {
            self = .whole(whole)
        } else if let decimal = try? value.decode(Decimal.self), decimal.isFinite {
            self = .decimal(decimal)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let array = try? value.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .whole(let whole): try value.encode(whole)
        case .decimal(let decimal): try value.encode(decimal)
        case .number(let number): try value.encode(number)
        case .string(let string): try value.encode(string)
        case .array(let array): try value.encode(array)
        case .object(let object): try value.encode(object)
        }
    }
}

package enum JSONText {
    /// How many fields the outermost object of a *valid* JSON text has, doubled ones counted twice: the
    /// decoder silently keeps the first of two, and Python the last.
    package static func topLevelFields(_ json: [UInt8]) -> Int {
        var depth = 0
        var inString = false
        var escaped = false
        var fields = 0
        for byte in json {
            if escaped {
                escaped = false
                continue
            }
            switch byte {
            case UInt8(ascii: "\\"): escaped = inString
            case UInt8(ascii: "\""): inString.toggle()
            case _ where inString: continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ":") where depth == 1: fields += 1
            default: continue
            }
        }
        return fields
    }
}
