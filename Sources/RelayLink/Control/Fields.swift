/// Reads the fields of one message, each with its type; fields that nobody asks for are left alone, so that
/// a later version may add some.
package struct Fields {
    private let fields: [String: JSON]
    private let name: String

    package init(_ json: JSON, in name: String) throws(GateError) {
        guard let fields = json.fields else { throw GateError(.message, "\(name) is not an object") }
        self.fields = fields
        self.name = name
    }

    /// The field's value; null counts as absent.
    package subscript(_ field: String) -> JSON? {
        if let value = fields[field], value != .null { value } else { nil }
    }

    private func wrong(_ field: String, _ kind: String) -> GateError {
        GateError(.message, "\(field) in \(name) is not \(kind)")
    }

    package func string(_ field: String) throws(GateError) -> String {
        guard let text = try optionalString(field) else { throw wrong(field, "there") }
        return text
    }

    package func optionalString(_ field: String) throws(GateError) -> String? {
        guard let value = self[field] else { return nil }
        guard let text = value.text else { throw wrong(field, "a string") }
        // No string of ours may hold a NUL: all end up in C, which would see less than was checked.
        guard !text.utf8.contains(0) else { throw wrong(field, "free of NUL") }
        return text
    }

    package func integer(_ field: String, in range: ClosedRange<Int64>) throws(GateError) -> Int64 {
        guard let value = try optionalInteger(field, in: range) else { throw wrong(field, "there") }
        return value
    }

    package func optionalInteger(_ field: String, in range: ClosedRange<Int64>) throws(GateError) -> Int64? {
        guard let value = self[field] else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw wrong(field, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    package func flag(_ field: String) throws(GateError) -> Bool {
        guard let value = self[field] else { return false }
        guard let flag = value.flag else { throw wrong(field, "true or false") }
        return flag
    }

    package func bytes(_ field: String) throws(GateError) -> [UInt8] {
        guard let bytes = Base64.decode(try string(field)) else { throw wrong(field, "base64") }
        return bytes
    }

    package func choice<Choice: RawRepresentable>(
        _ field: String, _ usual: Choice
    ) throws(GateError) -> Choice where Choice.RawValue == String {
        guard let text = try optionalString(field) else { return usual }
        guard let choice = Choice(rawValue: text) else { throw wrong(field, "one of the known words") }
        return choice
    }

    package func strings(_ field: String) throws(GateError) -> [String] {
        guard let list = self[field]?.list else { throw wrong(field, "a list") }
        var strings: [String] = []
        for value in list {
            guard let text = value.text, !text.utf8.contains(0) else {
                throw wrong(field, "a list of strings without NUL")
            }
            strings.append(text)
        }
        return strings
    }

    package func map(_ field: String) throws(GateError) -> [String: JSON] {
        guard let value = self[field] else { return [:] }
        guard let map = value.fields else { throw wrong(field, "an object") }
        return map
    }

    package func list(_ field: String) throws(GateError) -> [JSON] {
        guard let value = self[field] else { return [] }
        guard let list = value.list else { throw wrong(field, "a list") }
        return list
    }

    /// Ports by channel.
    package func ports(_ field: String) throws(GateError) -> [String: UInt16] {
        var ports: [String: UInt16] = [:]
        for (channel, value) in try map(field) {
            guard let number = value.integer, let port = UInt16(exactly: number) else {
                throw wrong(field, "ports from 0 to 65535 by channel")
            }
            ports[channel] = port
        }
        return ports
    }

    /// Variables of an environment. Their names may be shown, their values never.
    package func variables(_ field: String) throws(GateError) -> [String: String] {
        var variables: [String: String] = [:]
        for (name, value) in try map(field) {
            guard !name.isEmpty, !name.utf8.contains(0), !name.utf8.contains(UInt8(ascii: "=")),
                let text = value.text, !text.utf8.contains(0)
            else { throw wrong(field, "names and strings without NUL") }
            variables[name] = text
        }
        return variables
    }
}
