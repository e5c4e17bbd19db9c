import FoundationEssentials
import RelayLink

/// A compose file of ours, to be read behind the project's own: what a service needs for kernels, and nothing else.
///
/// It is written as JSON, which is YAML too, behind one line that says whose it is.
package struct ComposeOverride: Sendable, Equatable {
    package struct Service: Sendable, Equatable {
        /// The container's ports by channel.
        package var channels: [String: UInt16]
        /// Where this host finds them, by the container's port; none where the service has no network of its own.
        package var published: [UInt16: UInt16]
        /// What the launcher calls it once discovery is on.
        package var displayName: String?

        package init(
            channels: [String: UInt16], published: [UInt16: UInt16], displayName: String? = nil
        ) {
            self.channels = channels
            self.published = published
            self.displayName = displayName
        }
    }

    package var services: [String: Service]
    /// Of the format, for releases of compose that want all files to have one.
    package var version: String?

    package init(services: [String: Service], version: String? = nil) {
        self.services = services
        self.version = version
    }

    static let firstLine = "# Written by `relayd compose`, and written anew by it: changes are lost."

    // MARK: - Writing

    /// - Parameter shim: the gate's program on this host.
    package func text(shim: String) -> [UInt8] {
        var whole: [String: JSONValue] = [
            "services": .object(services.mapValues { Self.json($0, shim: shim) })
        ]
        if let version { whole["version"] = .string(version) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // No value of this type can fail to be written.
        let json = (try? encoder.encode(JSONValue.object(whole))) ?? Data()
        return Array("\(Self.firstLine)\n".utf8) + json + [UInt8(ascii: "\n")]
    }

    private static func json(_ service: Service, shim: String) -> JSONValue {
        var labels = [
            Labels.ports: Labels.text(service.channels), Labels.release: ControlProtocol.release,
        ]
        labels[Labels.displayName] = service.displayName
        var fields: [String: JSONValue] = [
            "init": .bool(true),
            "labels": .object(labels.mapValues { .string(plain($0)) }),
            "volumes": .array([
                .object([
                    "type": .string("bind"), "source": .string(plain(shim)),
                    "target": .string(GatePath.mount), "read_only": .bool(true),
                ])
            ]),
        ]
        if !service.published.isEmpty {
            fields["ports"] = .array(
                service.published.sorted { $0.key < $1.key }.map {
                    .string("127.0.0.1:\($0.value):\($0.key)")
                })
        }
        return .object(fields)
    }

    /// Compose puts variables in where a dollar stands.
    private static func plain(_ text: String) -> String { text.replacing("$", with: "$$") }

    // MARK: - Reading

    /// Nothing where it is another's, or somebody has changed it.
    package init?(reading bytes: [UInt8]) {
        let head = Array("\(Self.firstLine)\n".utf8)
        guard bytes.starts(with: head),
            let json = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes.dropFirst(head.count))),
            case .object(let fields) = json, case .object(let services) = fields["services"]
        else { return nil }
        self.services = [:]
        for (name, value) in services {
            guard let service = Self.service(value) else { return nil }
            self.services[name] = service
        }
        if case .string(let text) = fields["version"] { version = text }
    }

    private static func service(_ json: JSONValue) -> Service? {
        guard case .object(let fields) = json, case .object(let labels) = fields["labels"],
            case .string(let text) = labels[Labels.ports], let channels = Labels.read(text)
        else { return nil }
        var service = Service(channels: channels, published: [:])
        if case .string(let name) = labels[Labels.displayName] {
            service.displayName = name.replacing("$$", with: "$")
        }
        guard case .array(let ports) = fields["ports"] else { return service }
        for port in ports {
            guard case .string(let text) = port else { return nil }
            let parts = text.split(separator: ":")
            guard parts.count == 3, let host = UInt16(parts[1]), let inside = UInt16(parts[2]) else {
                return nil
            }
            service.published[inside] = host
        }
        return service
    }
}
