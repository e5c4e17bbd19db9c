/// The fields of a connection file, taken out one by one; `rest` is what nobody asked for.
struct ConnectionFields: ~Copyable {
    private(set) var rest: [String: JSONValue]
    private let origin: String

    init(_ fields: [String: JSONValue], origin: String) {
        rest = fields
        self.origin = origin
    }

    private mutating func take(_ name: String) throws(RelayError) -> JSONValue {
        guard let value = rest.removeValue(forKey: name) else {
            throw RelayError(.connectionFieldMissing, "\(name) in \(origin)")
        }
        return value
    }

    mutating func string(_ name: String) throws(RelayError) -> String {
        guard case .string(let text) = try take(name) else {
            throw RelayError(.connectionFieldType, "\(name) in \(origin) is not a string")
        }
        return text
    }

    /// A field that older writers leave out. A `null` stands for one that is not there.
    mutating func optionalString(_ name: String) throws(RelayError) -> String? {
        switch rest[name] {
        case nil: return nil
        case .null:
            rest[name] = nil
            return nil
        default: return try string(name)
        }
    }

    mutating func port(_ name: String) throws(RelayError) -> Int {
        guard case .whole(let number) = try take(name) else {
            throw RelayError(.connectionFieldType, "\(name) in \(origin) is not a whole number")
        }
        return Int(number)
    }

    /// Both keys or none.
    mutating func curveKeys() throws(RelayError) -> ConnectionInfo.CurveKeys? {
        let publicKey = try optionalString("curve_publickey")
        let secretKey = try optionalString("curve_secretkey")
        switch (publicKey, secretKey) {
        case (nil, nil): return nil
        case (let publicKey?, let secretKey?):
            for (name, key) in [("curve_publickey", publicKey), ("curve_secretkey", secretKey)] {
                guard Z85.isKey(key) else {
                    throw RelayError(.connectionCurve, "\(name) in \(origin) is not 40 characters of Z85")
                }
            }
            return ConnectionInfo.CurveKeys(publicKey: publicKey, secretKey: secretKey)
        default:
            throw RelayError(.connectionCurve, "\(origin) has one of the two keys")
        }
    }
}

/// The text form of a CURVE key. libzmq decodes it; this only tells whether it could be one, because an
/// option that libzmq refuses does not say why.
enum Z85 {
    private static let alphabet = Set(
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)

    static func isKey(_ text: String) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy(alphabet.contains)
    }
}

/// A value of a hostile file as it may stand in an error: short, and on one line.
func printable(_ text: String) -> String {
    let visible = text.unicodeScalars.prefix(60).map {
        $0.properties.generalCategory == .control ? "?" : String($0)
    }
    return "\u{201C}" + visible.joined() + (text.unicodeScalars.count > 60 ? "\u{2026}" : "") + "\u{201D}"
}
