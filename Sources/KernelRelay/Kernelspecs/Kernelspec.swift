import FoundationEssentials

/// A kernel.json of ours.
package struct Kernelspec: Sendable, Equatable {
    package enum InterruptMode: String, Sendable, CaseIterable {
        case signal, message
    }

    /// relay-shim, an absolute path.
    package var program: String
    package var container: String
    package var displayName: String
    package var language: String
    package var interruptMode: InterruptMode
    /// For relay-shim, besides the connection file and the container.
    package var options: [String]
    /// Variables for the kernel whose values are written down. Not in argv, which everybody can read while the kernel
    /// runs; and by another name, as an engine's client has a PATH of its own.
    package var variables: [String: String]

    package init(
        program: String, container: String, displayName: String, language: String = "python",
        interruptMode: InterruptMode = .signal, options: [String] = [], variables: [String: String] = [:]
    ) {
        self.program = program
        self.container = container
        self.displayName = displayName
        self.language = language
        self.interruptMode = interruptMode
        self.options = options
        self.variables = variables
    }

    /// In front of a variable's name in kernel.json; relay-shim takes it off.
    private static let prefix = "KERNELRELAY_ENV_"

    package var argv: [String] {
        // The dashes at the end: what Jupyter appends is the kernel's, even where it looks like an option of ours.
        [program, "-f", "{connection_file}", "--container", container] + options + ["--"]
    }

    /// What is in kernel.json.
    package var json: JSONValue {
        var metadata: [String: JSONValue] = [
            // The relay is the CURVE server, whatever the kernel knows of that.
            "supported_encryption": .array([.string("curve")]),
            Self.mark: .object(["version": .whole(1), "container": .string(container)]),
        ]
        if language == "python" { metadata["debugger"] = .bool(true) }
        return .object([
            "argv": .array(argv.map { .string($0) }), "display_name": .string(displayName),
            "language": .string(language), "interrupt_mode": .string(interruptMode.rawValue),
            "env": .object(environment), "metadata": .object(metadata),
        ])
    }

    private var environment: [String: JSONValue] {
        Dictionary(uniqueKeysWithValues: variables.map { ("\(Self.prefix)\($0.key)", .string($0.value)) })
    }

    package var text: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // No value of this type can fail to be written.
        return Array((try? encoder.encode(json)) ?? Data()) + [UInt8(ascii: "\n")]
    }

    /// In metadata; who has it was written by `relayd add`.
    private static let mark = "kernelrelay"

    /// Nothing where the file is another's, or none of Jupyter's.
    package init?(reading json: JSONValue) {
        guard case .object(let fields) = json, case .object(let metadata) = fields["metadata"],
            case .object(let mark) = metadata[Self.mark], case .string(let container) = mark["container"],
            case .array(let argv) = fields["argv"]
        else { return nil }
        func text(_ name: String) -> String? {
            if case .string(let value) = fields[name] { value } else { nil }
        }
        var words = argv.compactMap { value in if case .string(let word) = value { word } else { nil } }
        guard words.count == argv.count, let program = words.first else { return nil }
        words.removeFirst()
        if words.last == "--" { words.removeLast() }
        let usual = ["-f", "{connection_file}", "--container", container]
        self.init(
            program: program, container: container, displayName: text("display_name") ?? "",
            language: text("language") ?? "",
            interruptMode: text("interrupt_mode").flatMap(InterruptMode.init) ?? .signal,
            // Somebody may have changed the file since; it is shown as it is.
            options: words.starts(with: usual) ? Array(words.dropFirst(usual.count)) : words)
        guard case .object(let environment) = fields["env"] else { return }
        for (name, value) in environment where name.hasPrefix(Self.prefix) {
            if case .string(let text) = value { variables[String(name.dropFirst(Self.prefix.count))] = text }
        }
    }
}
