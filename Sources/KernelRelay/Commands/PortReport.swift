import RelayLink

/// What a container's five ports are, and where this host finds them.
struct PortReport {
    struct Row {
        let channel: String
        let container: UInt16
        let hosts: [Container.HostPort]
    }

    let rows: [Row]
    let usesHostNetwork: Bool

    /// - Parameter chosen: what the caller says the ports are; else the labels say it, else they are the usual ones.
    init(_ container: Container, chosen: [String: UInt16] = [:]) {
        let ports = (container.labelledPorts ?? StandardPorts.byChannel).merging(chosen) { $1 }
        usesHostNetwork = container.usesHostNetwork
        rows = ports.sorted { $0.key < $1.key }.map { channel, port in
            let own = [Container.HostPort(address: "127.0.0.1", port: port)]
            let hosts = container.usesHostNetwork ? own : container.published[port] ?? []
            return Row(channel: channel, container: port, hosts: hosts)
        }
    }

    var json: [String: JSON] {
        Dictionary(
            rows.map { row in
                let hosts = row.hosts.map { host in
                    JSON.object([
                        "address": .string(host.address), "port": .whole(Int64(host.port)),
                        "all_interfaces": .bool(host.isEverywhere),
                    ])
                }
                return (
                    row.channel,
                    .object(["container_port": .whole(Int64(row.container)), "host": .array(hosts)])
                )
            }
        ) { first, _ in first }
    }

    /// For a person: a line for each channel, and what to know about them.
    var text: String {
        var table = [["CHANNEL", "CONTAINER", "HOST"]]
        for row in rows {
            let hosts = row.hosts.map { host in
                let address = host.address.contains(":") ? "[\(host.address)]" : host.address
                return "\(address):\(host.port)" + (host.isEverywhere ? " (all interfaces)" : "")
            }
            let shown = hosts.isEmpty ? "not published" : hosts.joined(separator: ", ")
            table.append([row.channel, String(row.container), shown])
        }
        var lines = [Table.text(table)]
        if usesHostNetwork {
            lines.append("The container is on the host's network: its ports are the host's own.")
        } else if rows.allSatisfy(\.hosts.isEmpty) {
            lines.append(
                "None is published; `relayd ports` without a container prints flags that publish them.")
        }
        if rows.contains(where: { $0.hosts.contains(where: \.isEverywhere) }) {
            lines.append(
                "Published on all interfaces: whoever reaches this host reaches the gate, which asks for its token."
            )
        }
        return lines.joined(separator: "\n")
    }
}
