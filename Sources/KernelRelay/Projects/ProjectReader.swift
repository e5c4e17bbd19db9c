import Host
import RelayLink

/// What a project's file says, and what it may not say. Errors name keys and never values.
package enum ProjectReader {
    /// All that it may have. Whatever concerns the host (the engine's client, mounts, an image, a route, the caller's
    /// variables) is kernel.json's alone, which nobody clones.
    package static let keys = ["container", "command", "user", "workdir", "env", "schema_version"]

    package static func read(_ bytes: [UInt8], from path: String) throws(RelayError) -> ProjectValues {
        let shown = RelayLink.printable(path, limit: 1000)
        let fields = try object(bytes, shown)
        for key in fields.keys.sorted() where !keys.contains(key) {
            throw RelayError(.projectKey, "\(RelayLink.printable(key)) in \(shown)")
        }
        func wrong(_ key: String, _ wanted: String) -> RelayError {
            RelayError(.projectValue, "\(key) in \(shown)", cause: wanted)
        }
        func text(_ key: String) throws(RelayError) -> String? {
            guard let value = fields[key] else { return nil }
            guard let text = value.text, isPlain(text) else {
                throw wrong(key, "a string, not empty, without control characters, that begins with no dash")
            }
            return text
        }
        if let version = fields["schema_version"], version != 1 { throw wrong("schema_version", "1") }
        var values = ProjectValues(
            container: try text("container"), user: try text("user"), workdir: try text("workdir"))
        if let folder = values.workdir, !folder.hasPrefix("/") {
            throw wrong("workdir", "a folder in the container, from / on")
        }
        if let command = fields["command"] {
            guard let words = Self.command(command) else {
                throw wrong("command", "a program and its words, as a list of strings or as a string")
            }
            values.command = words
        }
        if let env = fields["env"] {
            guard let variables = Self.variables(env) else {
                throw wrong(
                    "env", "an object of names and strings: values, and none of the caller's variables")
            }
            values.env = variables
        }
        return values
    }

    private static func object(_ bytes: [UInt8], _ shown: String) throws(RelayError) -> [String: JSON] {
        let json: JSON
        do throws(JSON.Malformed) {
            json = try JSON(parsing: bytes)
        } catch {
            let before = bytes.prefix(error.offset)
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
            throw RelayError(.projectJSON, "\(shown), line \(line), column \(column)", cause: error.reason)
        }
        guard let fields = json.fields else {
            throw RelayError(.projectJSON, shown, cause: "it is no object")
        }
        return fields
    }

    /// A dash in front would make it an option, to some client or other.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("-")
            && text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
    }

    /// In the form in which kernel.json has it; nothing for what is no command.
    private static func command(_ value: JSON) -> String? {
        if let list = value.list {
            let words = list.compactMap(\.text)
            guard words.count == list.count else { return nil }
            let text = String(decoding: JSON.array(list).encoded, as: UTF8.self)
            return (try? CommandWords.read(text)) == words ? text : nil
        }
        guard let text = value.text, (try? CommandWords.read(text)) != nil else { return nil }
        return text
    }

    private static func variables(_ value: JSON) -> [String: String]? {
        guard let fields = value.fields else { return nil }
        var variables: [String: String] = [:]
        for (name, value) in fields {
            guard !name.isEmpty, !name.utf8.contains(0), !name.contains("="), let text = value.text,
                !text.utf8.contains(0)
            else { return nil }
            variables[name] = text
        }
        return variables
    }
}
