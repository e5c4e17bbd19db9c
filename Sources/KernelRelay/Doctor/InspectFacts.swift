import FoundationEssentials
import RelayLink

/// What of inspect's answer the doctor looks at besides what every launch does. Every field may be missing.
package struct InspectFacts: Sendable, Equatable {
    /// Bytes; nothing for no limit.
    package var memoryLimit: Int64?
    /// The engine put an init before the container's command.
    package var hasInit = false
    /// The first word of the container's command.
    package var command = ""
    /// TCP ports that the image or the run exposed.
    package var exposed: Set<UInt16> = []
    /// The host's ports that it is to be published on, whether it runs or not.
    package var bindings: Set<UInt16> = []
    package var ranOutOfMemory = false
    package var networkMode = ""
    package var imageID = ""
    package var mounts: [MountPoint] = []
    package var tmpfs: [String: String] = [:]
    /// Of its environment, to be kept out of what is shown; they are for nothing else.
    package var environment: [Variable] = []

    package struct Variable: Sendable, Equatable {
        package let name, value: String
    }

    package struct MountPoint: Sendable, Equatable {
        package let kind, source, destination: String
        package let isWritable: Bool
    }

    package init(inspect answer: [UInt8]) throws(RelayError) {
        guard let records = try? JSONDecoder().decode([JSONValue].self, from: Data(answer)),
            records.count == 1
        else {
            // The answer holds the container's whole environment, and is not quoted.
            throw RelayError(.engineFailed, "inspect", cause: "its answer is not what an engine says")
        }
        let (record, host, config) = (records[0], records[0]["HostConfig"], records[0]["Config"])
        memoryLimit = host["Memory"].whole.flatMap { $0 > 0 ? $0 : nil }
        hasInit = host["Init"].flag
        command = record["Path"].text
        exposed = Set(config["ExposedPorts"].fields.keys.compactMap(Self.tcp))
        let bound = host["PortBindings"].fields.filter { Self.tcp($0.key) != nil }.values.flatMap(\.list)
        bindings = Set(bound.compactMap { UInt16($0["HostPort"].text) }.filter { $0 > 0 })
        ranOutOfMemory = record["State"]["OOMKilled"].flag
        networkMode = host["NetworkMode"].text
        imageID = record["Image"].text
        mounts = record["Mounts"].list.map {
            MountPoint(
                kind: $0["Type"].text, source: $0["Source"].text, destination: $0["Destination"].text,
                isWritable: $0["RW"].flag)
        }
        tmpfs = host["Tmpfs"].fields.mapValues(\.text)
        environment = config["Env"].list.map(\.text).compactMap { word in
            word.firstIndex(of: "=").map {
                Variable(name: String(word[..<$0]), value: String(word[word.index(after: $0)...]))
            }
        }
    }

    private static func tcp(_ key: String) -> UInt16? {
        let parts = key.split(separator: "/")
        guard parts.count == 1 || parts.count == 2 && parts[1] == "tcp" else { return nil }
        return parts.first.flatMap { UInt16($0) }
    }

    /// What a report may show of it.
    var json: JSON {
        [
            "memory_limit": memoryLimit.map { .whole($0) } ?? .null, "init": .bool(hasInit),
            "command": .string(command), "exposed": .array(exposed.sorted().map { .whole(Int64($0)) }),
            "bindings": .array(bindings.sorted().map { .whole(Int64($0)) }),
            "ran_out_of_memory": .bool(ranOutOfMemory), "network_mode": .string(networkMode),
            "image_id": .string(imageID), "tmpfs": .object(tmpfs.mapValues { .string($0) }),
            "mounts": .array(
                mounts.map {
                    [
                        "type": .string($0.kind), "source": .string($0.source),
                        "destination": .string($0.destination), "writable": .bool($0.isWritable),
                    ]
                }),
        ]
    }
}

/// What is not there, or is something else, is nothing.
extension JSONValue {
    fileprivate subscript(_ name: String) -> JSONValue { fields[name] ?? .null }
    fileprivate var fields: [String: JSONValue] { if case .object(let fields) = self { fields } else { [:] } }
    fileprivate var list: [JSONValue] { if case .array(let values) = self { values } else { [] } }
    fileprivate var text: String { if case .string(let text) = self { text } else { "" } }
    fileprivate var whole: Int64? { if case .whole(let value) = self { value } else { nil } }
    fileprivate var flag: Bool { if case .bool(let flag) = self { flag } else { false } }
}
