import Glibc
import RelayLink

/// How a relay reaches a kernel.
package enum KernelRoute: String, Sendable, CaseIterable {
    /// The kernel's own sockets, seen through the container's root in /proc.
    case line
    /// The gate at the container's own address.
    case bridge
    /// The gate at the ports that the container publishes.
    case published
    /// The gate by way of the link to it, which every gate has.
    case tunnel
}

/// Where a kernel listens inside of its container.
package struct KernelPlace: Sendable {
    package let connectionFile: String
    package let transport: GateRequest.Launch.Transport
}

/// The ways to a kernel that may answer, the best first. Whether one does, a handshake tells.
package enum KernelRoutes {
    package struct Candidate: Sendable {
        package let route: KernelRoute
        package let address: KernelAddress
    }

    /// - Parameter tunnel: where a tunnel to it begins, where one does.
    package static func candidates(
        _ wanted: ControlRequest.Launch.Route, to place: KernelPlace, in container: Container,
        gatePorts: [String: UInt16], tunnel: String?, key: SigningKey, credentials: GateCredentials
    ) -> [Candidate] {
        let gate = GateSide(container: container, ports: gatePorts, key: key, credentials: credentials)
        var candidates: [Candidate] = []
        if [.auto, .line].contains(wanted), let address = line(to: place, in: container, key: key) {
            candidates.append(.init(route: .line, address: address))
        }
        if [.auto, .bridge].contains(wanted) {
            candidates += gate.bridge.map { .init(route: .bridge, address: $0) }
        }
        if [.auto, .published].contains(wanted) {
            candidates += gate.published.map { .init(route: .published, address: $0) }
        }
        if wanted.mayBeTunnel, let tunnel {
            let endpoints = Channel.allCases.map { ($0, tunnel) }
            let address = try? KernelAddress(
                endpoints: Dictionary(uniqueKeysWithValues: endpoints), key: key, credentials: credentials)
            candidates += [address].compactMap { $0.map { .init(route: .tunnel, address: $0) } }
        }
        return candidates
    }

    /// Why there is no candidate.
    ///
    /// - Parameters:
    ///   - asked: the ports on which the gate was to listen.
    ///   - gatePorts: those on which it does.
    package static func absence(
        of wanted: ControlRequest.Launch.Route, in container: Container, asked: [String: UInt16],
        gatePorts: [String: UInt16]
    ) -> RelayError {
        switch wanted {
        case .published
        where asked.values.contains { container.published[$0] != nil }
            && Set(asked.values).isDisjoint(with: gatePorts.values):
            // What listens there else than a gate could only be something that somebody put there.
            RelayError(.portsForeign, container.name)
        case .published: RelayError(.routeNone, "\(container.name): none of its ports is published")
        case .bridge: RelayError(.routeNone, "\(container.name): it has no address of its own")
        case .line: RelayError(.routeNone, "\(container.name): this user may not look into it")
        case .tunnel, .auto: RelayError(.gateOld, container.name)
        }
    }

    /// The kernel's own connection file tells where its sockets are; reading it shows that this user may.
    private static func line(to place: KernelPlace, in container: Container, key: SigningKey)
        -> KernelAddress?
    {
        guard place.transport == .ipc, container.pid > 0 else { return nil }
        let root = "/proc/\(container.pid)/root"
        guard place.connectionFile.hasPrefix("/"),
            let info = try? ConnectionInfo(contentsOf: root + place.connectionFile),
            info.transport == .ipc, info.ip.hasPrefix("/"), info.key == key
        else { return nil }
        let endpoints = Channel.allCases.map { ($0, "ipc://\(root)\(info.ip)-\(info.port($0))") }
        return try? KernelAddress(
            endpoints: Dictionary(uniqueKeysWithValues: endpoints), key: key, scheme: info.scheme)
    }

    private struct GateSide {
        let container: Container
        let ports: [String: UInt16]
        let key: SigningKey
        let credentials: GateCredentials

        var bridge: [KernelAddress] {
            container.addresses.compactMap { address in
                self.address { port in Self.endpoint(address, port) }
            }
        }

        var published: [KernelAddress] {
            if container.usesHostNetwork {
                // What it binds is the host's already.
                return [address { Self.endpoint("127.0.0.1", $0) }].compactMap(\.self)
            }
            return [
                address { port in
                    container.published[port]?.first.map { Self.endpoint($0.address, $0.port) }
                }
            ].compactMap(\.self)
        }

        /// Each channel has the port that is published for it, or, as any port serves any channel, another.
        private func address(_ endpoint: (UInt16) -> String?) -> KernelAddress? {
            var endpoints: [Channel: String] = [:]
            for channel in Channel.allCases {
                if let port = ports[channel.rawValue] { endpoints[channel] = endpoint(port) }
            }
            guard let any = endpoints.min(by: { $0.value < $1.value })?.value else { return nil }
            for channel in Channel.allCases where endpoints[channel] == nil { endpoints[channel] = any }
            return try? KernelAddress(endpoints: endpoints, key: key, credentials: credentials)
        }

        private static func endpoint(_ address: String, _ port: UInt16) -> String {
            address.utf8.contains(UInt8(ascii: ":"))
                ? "tcp://[\(address)]:\(port)" : "tcp://\(address):\(port)"
        }
    }
}

extension ControlRequest.Launch.Route {
    var mayBeTunnel: Bool { [.auto, .tunnel].contains(self) }
}
