import FoundationEssentials
import Glibc

/// What a Jupyter connection file says: five endpoints, a key, and how messages are signed.
///
/// It reads every file that Jupyter writes and refuses, each with a code of its own, what Jupyter could
/// not use. Fields that it does not know are kept and written again.
public struct ConnectionInfo: Sendable, Equatable {
    /// How the five sockets are reached.
    public enum Transport: String, Sendable {
        /// TCP sockets on `ip` and the five ports.
        case tcp
        /// Unix sockets, named by `ip`, a hyphen and the number.
        case ipc
    }

    /// The pair of CURVE keys that jupyter_client 8.9 and later put in a connection file.
    public struct CurveKeys: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
        package let publicKey: String
        package let secretKey: String

        public var description: String { "a pair of CURVE keys" }
        public var customMirror: Mirror { Mirror(self, children: []) }
    }

    /// TCP, or Unix sockets.
    public let transport: Transport
    /// The address for tcp; for ipc the path that the five sockets' names begin with.
    public let ip: String
    /// Signs and verifies this side's messages.
    public let key: SigningKey
    /// How it does so.
    public let scheme: SignatureScheme
    /// Set when this side's sockets are encrypted.
    public let curve: CurveKeys?

    private let ports: [Channel: Int]
    private let otherFields: [String: JSONValue]
    /// What a relative ipc path is relative to: the folder in which it was said.
    private let folder: String

    /// The port of one channel; for ipc the number behind the path.
    public func port(_ channel: Channel) -> Int { ports[channel]! }

    /// A description made by a program, on ports that it chose.
    public init(
        ip: String = "127.0.0.1", ports: [Channel: Int], key: SigningKey,
        transport: Transport = .tcp, scheme: SignatureScheme = .hmacSHA256
    ) throws(RelayError) {
        try self.init(
            transport: transport, ip: ip, ports: ports, key: key, scheme: scheme, curve: nil,
            otherFields: [:],
            folder: currentFolder())
    }

    private init(
        transport: Transport, ip: String, ports: [Channel: Int], key: SigningKey, scheme: SignatureScheme,
        curve: CurveKeys?, otherFields: [String: JSONValue], folder: String
    ) throws(RelayError) {
        self.transport = transport
        self.ip = ip
        self.ports = ports
        self.key = key
        self.scheme = scheme
        self.curve = curve
        self.otherFields = otherFields
        self.folder = folder
        try checkPorts()
        try checkAddress()
    }

    /// Reads a connection file.
    public init(contentsOf path: String) throws(RelayError) {
        let bytes = try PrivateFile.read(path, limit: Tuning.largestConnectionFile)
        do throws(RelayError) {
            try self.init(json: bytes, from: path)
        } catch {
            // A relay has two files: whatever is wrong must say in which.
            if error.context.contains(path) { throw error }
            throw RelayError(error.code, "\(error.context) in \(path)", cause: error.cause)
        }
    }

    /// Reads the text of a connection file.
    ///
    /// - Parameters:
    ///   - json: the bytes, of which nothing is taken for granted.
    ///   - origin: what an error calls them.
    public init(json: [UInt8], from origin: String = "connection file") throws(RelayError) {
        let fields: [String: JSONValue]
        do {
            fields = try JSONDecoder().decode([String: JSONValue].self, from: Data(json))
        } catch {
            // The decoder's own text may quote the file, and with it the key.
            throw RelayError(.connectionNotJSON, origin)
        }
        guard JSONText.topLevelFields(json) == fields.count else {
            throw RelayError(.connectionFieldDoubled, origin)
        }
        try self.init(ConnectionFields(fields, origin: origin), folder: currentFolder())
    }

    private init(_ fields: consuming ConnectionFields, folder: String) throws(RelayError) {
        let transportName = try fields.optionalString("transport") ?? Transport.tcp.rawValue
        guard let transport = Transport(rawValue: transportName) else {
            throw RelayError(.connectionTransport, printable(transportName))
        }
        let schemeName = try fields.optionalString("signature_scheme") ?? SignatureScheme.hmacSHA256.name
        guard let scheme = SignatureScheme(schemeName) else {
            throw RelayError(.connectionScheme, printable(schemeName))
        }
        var ports: [Channel: Int] = [:]
        for channel in Channel.allCases { ports[channel] = try fields.port("\(channel.rawValue)_port") }
        try self.init(
            transport: transport, ip: fields.string("ip"), ports: ports,
            key: SigningKey(fields.string("key")),
            scheme: scheme, curve: fields.curveKeys(), otherFields: fields.rest, folder: folder)
    }
}

extension ConnectionInfo {
    private func checkPorts() throws(RelayError) {
        let highest = transport == .tcp ? 65535 : Int(Int32.max)
        var taken: [Int: Channel] = [:]
        for channel in Channel.allCases {
            guard let port = ports[channel] else {
                throw RelayError(.connectionFieldMissing, "\(channel.rawValue)_port")
            }
            guard (1...highest).contains(port) else {
                throw RelayError(.connectionPortRange, "\(channel.rawValue)_port is \(port)")
            }
            if let other = taken.updateValue(channel, forKey: port) {
                throw RelayError(
                    .connectionPortDoubled,
                    "\(other.rawValue)_port and \(channel.rawValue)_port are both \(port)")
            }
        }
    }

    private func checkAddress() throws(RelayError) {
        guard !ip.isEmpty, !ip.utf8.contains(0) else { throw RelayError(.connectionAddress, "ip is empty") }
        switch transport {
        case .ipc:
            for channel in Channel.allCases {
                let path = ipcPath(channel)
                guard path.utf8.count <= 107 else {
                    throw RelayError(.connectionIPCTooLong, "\(path.utf8.count) bytes")
                }
            }
        case .tcp:
            // Only what can stand in a libzmq endpoint without meaning something else there.
            let allowed = ip.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            }
            guard allowed || ip == "*" || isIPv6 else { throw RelayError(.connectionAddress, printable(ip)) }
        }
    }

    private var isIPv6: Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, ip, &address) == 1
    }

    /// The path of a channel's Unix socket, absolute.
    package func ipcPath(_ channel: Channel) -> String {
        let path = "\(ip)-\(port(channel))"
        return path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    /// What libzmq binds or connects.
    package func endpoint(_ channel: Channel) -> String {
        switch transport {
        case .ipc: return "ipc://\(ipcPath(channel))"
        case .tcp:
            // libzmq takes a bare name in a bind for a network interface's.
            let host = isIPv6 ? "[\(ip)]" : ip == "localhost" ? "127.0.0.1" : ip
            return "tcp://\(host):\(port(channel))"
        }
    }

    /// The text of a connection file, every field that was read included.
    public func json() -> [UInt8] {
        var fields = otherFields
        fields["transport"] = .string(transport.rawValue)
        fields["ip"] = .string(ip)
        fields["key"] = .string(key.text)
        fields["signature_scheme"] = .string(scheme.name)
        for (channel, port) in ports { fields["\(channel.rawValue)_port"] = .whole(Int64(port)) }
        if let curve {
            fields["curve_publickey"] = .string(curve.publicKey)
            fields["curve_secretkey"] = .string(curve.secretKey)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Strings, whole numbers and what was decoded from JSON: all of it can be encoded.
        guard let data = try? encoder.encode(fields) else { return [] }
        return Array(data)
    }

    /// Writes a connection file: whole or not at all, readable by its owner alone.
    public func write(to path: String) throws(RelayError) {
        try PrivateFile.write(json(), to: path)
    }
}

extension ConnectionInfo: CustomStringConvertible, CustomReflectable {
    public var description: String {
        let list = Channel.allCases.map { "\($0.rawValue) \(port($0))" }.joined(separator: ", ")
        return "\(transport.rawValue) \(ip): \(list); \(scheme.name), \(key)"
    }

    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

private func currentFolder() -> String {
    guard let path = getcwd(nil, 0) else { return "." }
    defer { free(path) }
    return String(cString: path)
}
