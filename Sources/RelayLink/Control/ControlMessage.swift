/// What every control message is: a JSON object with a version and a type, alone in a frame on stream 0.
package protocol ControlMessage: Sendable {
    /// The word that tells the messages of one direction apart.
    var type: String { get }
    /// The fields, without version and type.
    var body: [String: JSON] { get }
    init(type: String, body: JSON) throws(GateError)
}

package enum ControlProtocol {
    /// Both links' version. A message of another version is refused, not guessed at.
    package static let version: Int64 = 1
    /// The release, told in welcome and by --version.
    package static let release = "0.1.0"
}

extension ControlMessage {
    package var json: [UInt8] {
        var fields = body
        fields["v"] = .whole(ControlProtocol.version)
        fields["type"] = .string(type)
        return JSON.object(fields).encoded
    }

    /// Reads a message, of which nothing is taken for granted.
    package init(json bytes: [UInt8]) throws(GateError) {
        let json: JSON
        do {
            json = try JSON(parsing: bytes)
        } catch {
            // The text itself may hold a token or a key, and is not quoted.
            throw GateError(.message, "\(error.reason), at byte \(error.offset)")
        }
        let fields = try Fields(json, in: "the message")
        let type = try fields.string("type")
        guard fields["v"] == .whole(ControlProtocol.version) else {
            throw GateError(.version, "v in \(printable(type)) is not \(ControlProtocol.version)")
        }
        try self.init(type: type, body: json)
    }
}

/// A stranger's text, fit for one line of a log.
package func printable(_ text: String, limit: Int = 120) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(limit) {
        result.unicodeScalars.append(scalar.isPrintable ? scalar : "?")
    }
    return text.unicodeScalars.count > limit ? result + "..." : result
}

extension Unicode.Scalar {
    /// Whether a terminal does nothing upon it but show it. What reorders or hides the rest of a line is none.
    package var isPrintable: Bool {
        switch value {
        case ..<0x20, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2066...0x2069: false
        default: true
        }
    }
}
