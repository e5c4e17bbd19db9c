/// One failure: a stable code, what it was about, and what caused it.
///
/// It never holds a key, so that it can be logged and shown as it is.
public struct RelayError: Error, Sendable, Equatable {
    /// The stable name, which also knows the remedy.
    public let code: ErrorCode
    /// What it was about: a path, a port, a field.
    public let context: String
    /// What the layer below said.
    public let cause: String?

    package init(_ code: ErrorCode, _ context: String, cause: String? = nil) {
        self.code = code
        self.context = context
        self.cause = cause
    }

    /// What a person can do about it. Where it was about a container, its commands have that container's name.
    public var remedy: String {
        let isName = !context.isEmpty && context.utf8.allSatisfy(Self.isOfName)
        return isName ? code.entry.remedy.replacing("NAME", with: context) : code.entry.remedy
    }

    /// As any shell takes them, and any engine for a name.
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension RelayError: CustomStringConvertible {
    /// One line: code, what, why, remedy.
    public var description: String {
        let why = cause.map { " (\($0))" } ?? ""
        return "\(code.rawValue): \(code.entry.summary): \(context)\(why). \(remedy)"
    }
}
