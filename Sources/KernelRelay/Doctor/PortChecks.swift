import Glibc
import RelayLink

/// The container's five ports: published or not, on what, and who listens there.
extension Check {
    static let ports: [Check] = [published, listeners, routes]

    static let published = Check("ports", needs: ["container"]) { chart in
        guard let container = chart.container else { return .skipped("there is no container") }
        return judge(portsOf: container)
    }

    package static func judge(portsOf container: Container) -> Finding {
        if container.usesHostNetwork { return .good("on the host's network: its ports are the host's own") }
        let ports = container.gatePorts
        let found = ports.compactMap { channel, port in
            container.published[port]?.first.map { (channel: channel, host: $0) }
        }.sorted { $0.channel < $1.channel }
        guard !found.isEmpty else {
            return .good("none is published, and none has to be: see the routes")
        }
        let shown = found.map { "\($0.channel) \($0.host.shown)" }.joined(separator: ", ")
        if let open = found.first(where: { $0.host.isEverywhere }), let port = ports[open.channel] {
            return .warning(
                "published on all interfaces (\(shown)): whoever reaches this host can try the gate, which asks for its token",
                "publish on loopback in the next docker run: --publish 127.0.0.1:\(open.host.port):\(port)")
        }
        let missing = ports.count - found.count
        return .good(missing == 0 ? shown : "\(shown); the other \(missing) go by these")
    }

    static let listeners = Check("listeners", needs: ["ports"]) { chart in
        guard let container = chart.container, chart.subject.engine.client.remoteHost == nil else {
            return .skipped("the ports are another host's")
        }
        let ports = Set(container.gatePorts.values.flatMap { container.published[$0] ?? [] }.map(\.port))
        if ports.isEmpty { return .skipped("no port is published") }
        let found = try? await offload("kr-listeners") { .success(PortListeners.current(on: ports)) }
        return judge(listeners: found ?? [], on: ports)
    }

    package static func judge(listeners: [PortListeners.Listener], on ports: Set<UInt16>) -> Finding {
        // Those that listen for containers, by the names of their programs.
        let proxies: Set = [
            "docker-proxy", "rootlessport", "rootlesskit", "conmon", "slirp4netns", "pasta",
            "com.docker.backend",
        ]
        let strangers = listeners.filter { $0.program.map { !proxies.contains($0) } ?? false }
        if let stranger = strangers.first, let program = stranger.program, let pid = stranger.pid {
            return .warning(
                "\(RelayLink.printable(program)) listens on \(stranger.port) of this host, too",
                "ps -fp \(pid)")
        }
        let unheard = ports.subtracting(listeners.map(\.port)).sorted()
        if !unheard.isEmpty {
            // An engine without a proxy redirects in the kernel's tables alone.
            return .good(
                "no process; the system redirects \(unheard.map(String.init).joined(separator: ", "))")
        }
        return .good(
            listeners.contains { $0.program != nil } ? "the engine's own alone" : "one for each port")
    }

    static let routes = Check("routes", needs: ["ports"]) { chart in
        guard let container = chart.container else { return .skipped("there is no container") }
        let isRemote = chart.subject.engine.client.remoteHost != nil
        let port = container.gatePorts["shell"] ?? 10003
        let reach = try? await offload("kr-reach") { () -> Result<Reach, RelayError> in
            .success(
                Reach(
                    seesInside: !isRemote && LineOfSight.isClear(into: container),
                    bridge: isRemote ? nil : container.addresses.first { Neighbour.answers($0, port) },
                    publishes: container.usesHostNetwork
                        || container.gatePorts.values.contains { container.published[$0] != nil }))
        }
        return judge(reach ?? Reach(seesInside: false, bridge: nil, publishes: false), pid: container.pid)
    }

    package struct Reach: Sendable {
        let seesInside: Bool
        let bridge: String?
        let publishes: Bool

        package init(seesInside: Bool, bridge: String?, publishes: Bool) {
            self.seesInside = seesInside
            self.bridge = bridge
            self.publishes = publishes
        }
    }

    package static func judge(_ reach: Reach, pid: Int32) -> Finding {
        var ways: [String] = []
        var not: [String] = []
        if reach.seesInside {
            ways.append("line")
        } else {
            not.append("no line: /proc/\(pid)/root may not be entered")
        }
        if let address = reach.bridge {
            ways.append("bridge (\(address))")
        } else {
            not.append("no bridge: its address does not answer from here")
        }
        if reach.publishes { ways.append("published") } else { not.append("no port is published") }
        let why = not.isEmpty ? "" : "; " + not.joined(separator: ", ")
        guard !ways.isEmpty else {
            return .warning(
                "tunnel alone, which is slower" + why,
                "docker run -d $(relayd ports) IMAGE  # a new container, with its ports published")
        }
        return .good((ways + ["tunnel"]).joined(separator: ", ") + why)
    }
}

extension Container {
    /// Where a gate listens in it when nobody says otherwise.
    fileprivate var gatePorts: [String: UInt16] { labelledPorts ?? StandardPorts.byChannel }
}

extension Container.HostPort {
    fileprivate var shown: String {
        let host = isEverywhere ? "0.0.0.0" : address.contains(":") ? "[\(address)]" : address
        return "\(host):\(port)"
    }
}
