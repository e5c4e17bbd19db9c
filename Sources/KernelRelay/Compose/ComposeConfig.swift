/// What compose made of a project's files: the part of `config` that matters here.
///
/// Not a reader of YAML. Compose prints every project in one form, whatever the files look like: a mapping in blocks,
/// two columns for each level. At the margin, and in the columns 2 and 4 below `services:`, there is nothing but names;
/// what goes over several lines stands further in.
package struct ComposeConfig: Equatable {
    /// The network's mode of each service, where it has one.
    package private(set) var services: [String: String?] = [:]
    /// Compose 2 says it, compose 1 does not.
    package private(set) var project: String?
    /// Of the files' format: compose 1 says it, and older releases of it want ours to have the same.
    package private(set) var version: String?

    package init(_ text: String) {
        var section = ""
        var service: String?
        for line in text.split(whereSeparator: \.isNewline) {
            let indent = line.prefix { $0 == " " }.count
            guard let (name, value) = Self.pair(line.dropFirst(indent)) else { continue }
            switch indent {
            case 0:
                section = name
                service = nil
                if name == "name" { project = value }
                if name == "version" { version = value }
            case 2 where section == "services":
                service = name
                services.updateValue(nil, forKey: name)
            case 4 where name == "network_mode" && !value.isEmpty:
                if let service { services.updateValue(value, forKey: service) }
            default: break
            }
        }
    }

    /// `name: value`, either of which may be quoted.
    private static func pair(_ line: Substring) -> (String, String)? {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        let value = line[line.index(after: colon)...].trimmingPrefix { $0 == " " }
        return (unquoted(line[..<colon]), unquoted(value))
    }

    private static func unquoted(_ text: Substring) -> String {
        guard let quote = text.first, "\"'".contains(quote), text.count > 1, text.last == quote else {
            return String(text)
        }
        return String(text.dropFirst().dropLast())
    }

    /// A container that has no network of its own publishes nothing.
    package static func publishes(_ mode: String?) -> Bool {
        guard let mode else { return true }
        return mode != "host" && mode != "none" && !mode.hasPrefix("service:")
            && !mode.hasPrefix("container:")
    }
}
