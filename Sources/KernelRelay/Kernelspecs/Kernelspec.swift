import FoundationEssentials

/// A kernel.json of ours.
package struct Kernelspec: Sendable, Equatable {
    package enum InterruptMode: String, Sendable, CaseIterable {
        case signal, message
    }

    /// relay-shim, an absolute path.
    package var program: String
    /// Empty where the options choose one.
    package var container: String
    /// A container is made of it for each kernel; then `container` is empty.
    package var image: String?
    /// For the engine's `run`, where there is an image.
    package var runArguments: [String] = []
    package var displayName: String
    package var language: String
    package var interruptMode: InterruptMode
    /// For relay-shim, besides the connection file and the container.
    package var options: [String]
    /// Variables for the kernel whose values are written down. Not in argv, which everybody can read while the kernel
    /// runs; and by another name, as an engine's client has a PATH of its own.
    package var variables: [String: String]
    /// Where discovery wrote it.
    package var discovered: DiscoveryMark?

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
        [program] + place + options + (image == nil ? [] : ["--"] + runArguments) + ["--"]
    }

    /// Its container is chosen by the notebook's project.
    package var isOfProject: Bool { options.contains("--project") }

    /// What stands behind an option, each time that it stands there.
    package func values(_ option: String) -> [String] {
        zip(options, options.dropFirst()).filter { $0.0 == option }.map(\.1)
    }

    private var place: [String] {
        let chosen = container.isEmpty ? [] : ["--container", container]
        return ["-f", "{connection_file}"] + (image.map { ["--image", $0] } ?? chosen)
    }

    /// Where the kernel runs, for people.
    package var placeName: String { image.map { "image \($0)" } ?? container }

    /// What is in kernel.json.
    ///
    /// - Parameter name: the kernel's: a folder of another name is somebody's copy, and not ours.
    package func json(as name: String) -> JSONValue {
        var mark: [String: JSONValue] = ["version": .whole(1), "name": .string(name)]
        mark[image == nil ? "container" : "image"] = .string(image ?? container)
        mark["discovered"] = discovered?.json
        var metadata: [String: JSONValue] = [
            // The relay is the CURVE server, whatever the kernel knows of that.
            "supported_encryption": .array([.string("curve")]),
            Self.mark: .object(mark),
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

    package func text(as name: String) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // No value of this type can fail to be written.
        return Array((try? encoder.encode(json(as: name))) ?? Data()) + [UInt8(ascii: "\n")]
    }

    /// In metadata; who has it, with his own name in it, was written by `relayd add`.
    private static let mark = "kernelrelay"

    /// Nothing where the file is another's, a copy of one of ours under another name, or none of Jupyter's.
    package init?(reading json: JSONValue, named name: String) {
        guard case .object(let fields) = json, case .object(let metadata) = fields["metadata"],
            case .object(let mark) = metadata[Self.mark], mark["name"] == .string(name),
            case .array(let argv) = fields["argv"]
        else { return nil }
        func word(_ value: JSONValue?) -> String? { if case .string(let text) = value { text } else { nil } }
        let image = word(mark["image"])
        guard let container = image == nil ? word(mark["container"]) : "" else { return nil }
        func text(_ name: String) -> String? { word(fields[name]) }
        var words = argv.compactMap(word)
        guard words.count == argv.count, let program = words.first else { return nil }
        words.removeFirst()
        if words.last == "--" { words.removeLast() }
        self.init(
            program: program, container: container, displayName: text("display_name") ?? "",
            language: text("language") ?? "",
            interruptMode: text("interrupt_mode").flatMap(InterruptMode.init) ?? .signal)
        self.image = image
        discovered = DiscoveryMark(mark["discovered"])
        if image != nil, let dashes = words.firstIndex(of: "--") {
            runArguments = Array(words[(dashes + 1)...])
            words.removeSubrange(dashes...)
        }
        // Somebody may have changed the file since; it is shown as it is.
        options = words.starts(with: place) ? Array(words.dropFirst(place.count)) : words
        guard case .object(let environment) = fields["env"] else { return }
        for (name, value) in environment where name.hasPrefix(Self.prefix) {
            if case .string(let text) = value { variables[String(name.dropFirst(Self.prefix.count))] = text }
        }
    }
}
