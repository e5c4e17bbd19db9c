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

    /// What a person can do about it.
    public var remedy: String { code.entry.remedy }
}

extension RelayError: CustomStringConvertible {
    /// One line: code, what, why, remedy.
    public var description: String {
        let why = cause.map { " (\($0))" } ?? ""
        return "\(code.rawValue): \(code.entry.summary): \(context)\(why). \(code.entry.remedy)"
    }
}
