import FoundationEssentials
import RelayLink

/// The part of `inspect` that is used. Every field may be missing: engines and their releases differ.
struct InspectRecord: Decodable, Sendable {
    struct Mount: Decodable, Sendable {
        let type, source, destination: String?
        enum CodingKeys: String, CodingKey {
            case type = "Type"
            case source = "Source"
            case destination = "Destination"
        }
    }
    struct State: Decodable, Sendable {
        let status, error: String?
        let isRunning, isPaused: Bool?
        let pid, exitCode: Int64?
        enum CodingKeys: String, CodingKey {
            case status = "Status"
            case error = "Error"
            case isRunning = "Running"
            case isPaused = "Paused"
            case pid = "Pid"
            case exitCode = "ExitCode"
        }
    }
    struct Config: Decodable, Sendable {
        let user, image: String?
        let labels: [String: String]?
        enum CodingKeys: String, CodingKey {
            case user = "User"
            case image = "Image"
            case labels = "Labels"
        }
    }
    struct HostConfig: Decodable, Sendable {
        let networkMode: String?
        let isRootReadOnly: Bool?
        let memory, memorySwap: Int64?
        enum CodingKeys: String, CodingKey {
            case networkMode = "NetworkMode"
            case memory = "Memory"
            case memorySwap = "MemorySwap"
            case isRootReadOnly = "ReadonlyRootfs"
        }
    }
    struct Binding: Decodable, Sendable {
        let address, port: String?
        enum CodingKeys: String, CodingKey {
            case address = "HostIp"
            case port = "HostPort"
        }
    }
    struct Network: Decodable, Sendable {
        let ipv4, ipv6: String?
        enum CodingKeys: String, CodingKey {
            case ipv4 = "IPAddress"
            case ipv6 = "GlobalIPv6Address"
        }
    }
    struct NetworkSettings: Decodable, Sendable {
        let address: String?
        let ports: [String: [Binding]?]?
        let networks: [String: Network?]?
        enum CodingKeys: String, CodingKey {
            case address = "IPAddress"
            case ports = "Ports"
            case networks = "Networks"
        }
    }

    let id, name, image, imageName: String?
    let state: State?
    let config: Config?
    let hostConfig: HostConfig?
    let mounts: [Mount]?
    let network: NetworkSettings?
    enum CodingKeys: String, CodingKey {
        case id = "Id"
        case name = "Name"
        case image = "Image"
        case imageName = "ImageName"
        case state = "State"
        case config = "Config"
        case hostConfig = "HostConfig"
        case mounts = "Mounts"
        case network = "NetworkSettings"
    }

    /// Takes the one record of the answer.
    init(_ answer: [UInt8], from asked: String) throws(RelayError) {
        let records: [InspectRecord]
        do {
            records = try JSONDecoder().decode([InspectRecord].self, from: Data(answer))
        } catch {
            // The answer holds the container's whole environment, and is not quoted.
            throw RelayError(.engineFailed, asked, cause: "its answer is not what an engine says")
        }
        guard records.count == 1 else {
            throw RelayError(.engineFailed, asked, cause: "it answered with \(records.count) containers")
        }
        self = records[0]
    }

    /// The container whose network this one uses.
    var networkOwner: String? {
        guard let mode = hostConfig?.networkMode, mode.hasPrefix("container:") else { return nil }
        return String(mode.dropFirst("container:".count))
    }

    func container(network: InspectRecord, remoteHost: String?) throws(RelayError) -> Container {
        // What follows is used as an argument.
        guard let id = self.id, !id.isEmpty, id.utf8.allSatisfy(Self.isWordByte) else {
            throw RelayError(.engineFailed, "inspect", cause: "its answer has no usable id")
        }
        let name = self.name.map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 } ?? ""
        let mounts = self.mounts ?? []
        return Container(
            id: id, name: name.isEmpty ? id : RelayLink.printable(name), state: condition,
            pid: Int32(exactly: self.state?.pid ?? 0) ?? 0,
            image: config?.image ?? imageName ?? image ?? "", user: config?.user ?? "",
            addresses: network.addresses, published: network.published(remoteHost: remoteHost),
            binds: mounts.compactMap(Self.bind), mounts: mounts.compactMap(\.destination),
            labels: config?.labels ?? [:],
            usesHostNetwork: network.hostConfig?.networkMode == "host",
            isRootReadOnly: hostConfig?.isRootReadOnly ?? false, gateMount: Self.gateMount(mounts),
            exitCode: self.state?.exitCode ?? 0, failure: self.state?.error ?? "",
            memoryLimit: max(0, hostConfig?.memory ?? 0), swapLimit: hostConfig?.memorySwap ?? 0)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private var condition: Container.State {
        // A paused container counts as running too; some releases say only that.
        if state?.isPaused == true { return .paused }
        if let status = state?.status, let state = Container.State(rawValue: status.lowercased()) {
            return state
        }
        return state?.isRunning == true ? .running : .unknown
    }

    private var addresses: [String] {
        var found: [String] = []
        let networks = (network?.networks ?? [:]).sorted { $0.key < $1.key }.compactMap(\.value)
        for address in [network?.address] + networks.map(\.ipv4)
            + networks.map(\.ipv6)
        {
            guard let address, Self.isAddress(address), !found.contains(address) else { continue }
            found.append(address)
        }
        return found
    }

    private static func isAddress(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") || isWordByte($0) }
    }

    private func published(remoteHost: String?) -> [UInt16: [Container.HostPort]] {
        var found: [UInt16: [Container.HostPort]] = [:]
        for (key, bindings) in network?.ports ?? [:] {
            let parts = key.split(separator: "/")
            guard let port = parts.first.flatMap({ UInt16($0) }), port > 0 else { continue }
            guard parts.count == 1 || parts.count == 2 && parts[1] == "tcp" else { continue }
            // IPv4 first: a host may have lost its IPv6.
            let answers = (bindings ?? []).compactMap { Self.hostPort($0, remoteHost: remoteHost) }
                .sorted { ($0.address.contains(":") ? 1 : 0) < ($1.address.contains(":") ? 1 : 0) }
            if !answers.isEmpty { found[port] = answers }
        }
        return found
    }

    private static func hostPort(_ binding: Binding, remoteHost: String?) -> Container.HostPort? {
        guard let port = binding.port.flatMap({ UInt16($0) }), port > 0 else { return nil }
        let address = binding.address ?? ""
        switch address {
        case "", "0.0.0.0": return .init(address: remoteHost ?? "127.0.0.1", port: port, isEverywhere: true)
        case "::": return .init(address: remoteHost ?? "::1", port: port, isEverywhere: true)
        default: return isAddress(address) ? .init(address: address, port: port) : nil
        }
    }

    private static func bind(_ mount: Mount) -> Container.Bind? {
        guard mount.type == "bind", let source = mount.source, let destination = mount.destination else {
            return nil
        }
        return .init(source: source, destination: destination)
    }

    /// The gate, or the folder that it stands in.
    private static func gateMount(_ mounts: [Mount]) -> String? {
        let isThere = mounts.contains {
            [GatePath.mount, GatePath.mountFolder].contains($0.destination ?? "")
        }
        return isThere ? GatePath.mount : nil
    }
}

extension Container {
    /// Reads the answer of `inspect` for one container.
    package init(inspect answer: [UInt8]) throws(RelayError) {
        let record = try InspectRecord(answer, from: "inspect")
        self = try record.container(network: record, remoteHost: nil)
    }
}
