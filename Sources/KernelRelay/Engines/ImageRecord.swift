import RelayLink

/// What an engine says of one image.
struct ImageRecord: Sendable {
    let id: String
    let layers: [String]
    private let fields: [String: JSON]

    init(_ answer: [UInt8]) throws(RelayError) {
        let record = (try? JSON(parsing: answer))?.list?.first?.fields ?? [:]
        guard let id = record["Id"]?.text,
            let layers = record["RootFS"]?.fields?["Layers"]?.list?.compactMap(\.text), !layers.isEmpty
        else {
            throw RelayError(.engineFailed, "image inspect", cause: "its answer is not what an engine says")
        }
        self.id = id
        self.layers = layers
        fields = record
    }

    private var configuration: [String: JSON] { fields["Config"]?.fields ?? [:] }
    private var labels: [String: JSON] { configuration["Labels"]?.fields ?? [:] }

    /// The container that it is a snapshot of.
    var snapshotOf: String? { labels[Labels.snapshot]?.text }

    /// One that is an empty word is none: so a snapshot says that there is none.
    var entrypoint: [String] {
        let words = configuration["Entrypoint"]?.list?.compactMap(\.text) ?? []
        return words == [""] ? [] : words
    }

    /// Words of the image's command, as a list in JSON.
    ///
    /// - Parameter none: where it has none. An entry point that is an empty list counts to a commit as one that was not
    ///   given; one that is an empty word is none.
    func words(_ field: String, none: String = "[]") -> String {
        guard let list = configuration[field]?.list, !list.isEmpty else { return none }
        return String(decoding: JSON.array(list).encoded, as: UTF8.self)
    }

    /// The configuration of an image like this one with other layers.
    func config(layers: [String], snapshotOf container: String) -> JSON {
        var configuration = configuration
        var labels = labels.filter { !$0.key.hasPrefix(Labels.prefix) }
        labels[Labels.snapshot] = .string(container)
        configuration["Labels"] = .object(labels)
        var whole: [String: JSON] = [
            "created": .string(Timestamp.now()), "config": .object(configuration),
            "rootfs": ["type": "layers", "diff_ids": .array(layers.map { .string($0) })],
        ]
        for (name, field) in [("architecture", "Architecture"), ("os", "Os"), ("variant", "Variant")] {
            if let text = fields[field]?.text, !text.isEmpty { whole[name] = .string(text) }
        }
        return .object(whole)
    }
}

/// An archive as `load` takes it, without the layers, which the engine has.
enum ImageArchive {
    static func bytes(config: JSON, layers: Int, tag: String) -> [UInt8] {
        let manifest: JSON = [
            [
                "Config": "config.json", "RepoTags": [.string(tag)],
                "Layers": .array((0..<layers).map { .string("\($0)/layer.tar") }),
            ]
        ]
        return file("config.json", config.encoded) + file("manifest.json", manifest.encoded)
            + [UInt8](repeating: 0, count: 1024)
    }

    private static func file(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
        TarHeader.file(name, size: bytes.count) + bytes
            + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }
}
