import FoundationEssentials
import Glibc

/// Who listens on ports of this host, as /proc tells it.
package enum PortListeners {
    package struct Listener: Sendable, Equatable {
        package let port: UInt16
        /// Both only where this user may look.
        package let pid: Int32?
        package let program: String?

        package init(port: UInt16, pid: Int32? = nil, program: String? = nil) {
            self.port = port
            self.pid = pid
            self.program = program
        }
    }

    static func current(on ports: Set<UInt16>) -> [Listener] {
        var inodes: [UInt64: UInt16] = [:]
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            inodes.merge(read(table: text(file)).filter { ports.contains($0.value) }) { $1 }
        }
        if inodes.isEmpty { return [] }
        let owners = owners(of: Set(inodes.keys))
        return inodes.map { inode, port in
            let pid = owners[inode]
            return Listener(port: port, pid: pid, program: pid.map { name(of: $0) })
        }.sorted { ($0.port, $0.pid ?? 0) < ($1.port, $1.pid ?? 0) }
    }

    /// The listening sockets of a table such as /proc/net/tcp: their ports by inode.
    package static func read(table: String) -> [UInt64: UInt16] {
        var found: [UInt64: UInt16] = [:]
        for line in table.split(whereSeparator: \.isNewline).dropFirst() {
            let words = line.split(separator: " ")
            // 0A is LISTEN; the port stands in hexadecimal behind the address.
            guard words.count > 9, words[3] == "0A", let inode = UInt64(words[9]),
                let port = words[1].split(separator: ":").last.flatMap({ UInt16($0, radix: 16) })
            else { continue }
            found[inode] = port
        }
        return found
    }

    private static func owners(of inodes: Set<UInt64>) -> [UInt64: Int32] {
        var owners: [UInt64: Int32] = [:]
        for entry in list("/proc") {
            guard let pid = Int32(entry) else { continue }
            for descriptor in list("/proc/\(pid)/fd") {
                guard
                    let target = try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(pid)/fd/\(descriptor)"), target.hasPrefix("socket:["),
                    let inode = UInt64(target.dropFirst("socket:[".count).dropLast()), inodes.contains(inode)
                else { continue }
                owners[inode] = pid
            }
            if owners.count == inodes.count { break }
        }
        return owners
    }

    private static func name(of pid: Int32) -> String {
        // comm has 15 letters, and docker-proxy is started by its path.
        if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe"),
            let name = path.split(separator: "/").last
        {
            return String(name)
        }
        return String(text("/proc/\(pid)/comm").prefix { !$0.isNewline })
    }

    private static func list(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    private static func text(_ path: String) -> String {
        (try? PrivateFile.read(path, limit: 16 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
