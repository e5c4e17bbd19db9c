/// Where a kernel can be reached, and how its messages are signed: what the back of a relay is made of.
///
/// A connection file's five ports are one case of it. Behind a gate any port serves any channel, so that channels
/// may share an endpoint, or have endpoints on different hosts.
package struct KernelAddress: Sendable {
    /// What libzmq connects to, one text for each channel.
    package let endpoints: [Channel: String]
    package let key: SigningKey
    package let scheme: SignatureScheme
    /// Set when the kernel's sockets are encrypted.
    package let curve: ConnectionInfo.CurveKeys?
    /// Set when a gate stands before the kernel.
    package let credentials: GateCredentials?
    /// How the host's folders are called where the kernel is; set when a debugging front end is to hear the host's.
    package var debugFolders: FolderMap?

    package init(
        endpoints: [Channel: String], key: SigningKey, scheme: SignatureScheme = .hmacSHA256,
        curve: ConnectionInfo.CurveKeys? = nil, credentials: GateCredentials? = nil
    ) throws(RelayError) {
        self.endpoints = endpoints
        self.key = key
        self.scheme = scheme
        self.curve = curve
        self.credentials = credentials
        try check()
    }

    /// The kernel that a connection file describes.
    package init(_ info: ConnectionInfo, credentials: GateCredentials? = nil) throws(RelayError) {
        if info.ip == "*" { throw RelayError(.connectionAddress, "a kernel cannot be reached at “*”") }
        try self.init(
            endpoints: Dictionary(uniqueKeysWithValues: Channel.allCases.map { ($0, info.endpoint($0)) }),
            key: info.key, scheme: info.scheme, curve: info.curve, credentials: credentials)
    }

    /// What libzmq connects a channel to. Every channel has one: that is checked when an address is made.
    package func endpoint(_ channel: Channel) -> String { endpoints[channel]! }

    /// Refuses what would only be found out at every attempt to reach the kernel.
    private func check() throws(RelayError) {
        var users: [String: Channel] = [:]
        for channel in Channel.allCases {
            guard let endpoint = endpoints[channel] else {
                throw RelayError(.connectionFieldMissing, "the endpoint of \(channel.rawValue)")
            }
            try Endpoint.check(endpoint)
            // Only a gate tells by the user name which of its kernel's sockets is meant.
            if let other = users.updateValue(channel, forKey: endpoint), credentials == nil {
                throw RelayError(
                    .connectionPortDoubled, "\(other.rawValue) and \(channel.rawValue) are both \(endpoint)")
            }
        }
        guard let credentials else { return }
        try credentials.check()
        // A connection has one mechanism: PLAIN would silently take the place of CURVE.
        if curve != nil { throw RelayError(.credentials, "CURVE keys behind a gate") }
    }
}

extension GateCredentials {
    /// What ZMTP can carry: the user name is the kernel's id and a channel.
    package func check() throws(RelayError) {
        guard (1...240).contains(kernel.utf8.count), (1...255).contains(token.utf8.count) else {
            throw RelayError(.credentials, "a kernel id of \(kernel.utf8.count) bytes")
        }
    }
}

/// The texts that libzmq connects to.
package enum Endpoint {
    /// Lets through what libzmq takes for one address and nothing more: it reads a `;` as "from here, to there".
    package static func check(_ text: String) throws(RelayError) {
        if text.hasPrefix("ipc://"), text.utf8.count > 6 {
            guard text.utf8.count - 6 <= 107 else {
                throw RelayError(.connectionIPCTooLong, "\(text.utf8.count - 6) bytes")
            }
            if !text.utf8.contains(0) { return }
        } else if text.hasPrefix("tcp://") {
            let isPlain = text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ";") }
            if isPlain, !text.hasPrefix("tcp://*") { return }
        }
        throw RelayError(.connectionAddress, printable(text))
    }

    /// Whether libzmq must be told that it may use IPv6.
    package static func isIPv6(_ text: String) -> Bool { text.hasPrefix("tcp://[") }
}
