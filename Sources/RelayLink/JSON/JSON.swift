/// JSON as the links use it.
///
/// A reader and a writer of our own, because FoundationEssentials would double the size of the binary that
/// travels into every container, and because the other side is hostile: names given twice, deep nesting,
/// broken text and numbers that no type of ours can hold are refused.
package indirect enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case whole(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// Nothing in a control message is nested deeper than five levels.
    package static let deepest = 16
}

extension JSON {
    package var text: String? { if case .string(let value) = self { value } else { nil } }
    package var flag: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var integer: Int64? { if case .whole(let value) = self { value } else { nil } }
    package var list: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var fields: [String: JSON]? { if case .object(let value) = self { value } else { nil } }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .whole(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
