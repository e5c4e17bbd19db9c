import Glibc
import RelayLink

/// Where the page is to listen: an address of this host and a port, `[ADDRESS:]PORT`.
package struct WebAddress: Sendable, Equatable {
    package enum Family: Sendable { case four, six }

    package let family: Family
    /// As inet_ntop writes it, so that two spellings of one address are equal.
    package let host: String
    package var port: UInt16

    /// Any free port of this host's own loopback.
    package static let anywhere = WebAddress(family: .four, host: "127.0.0.1", port: 0)

    private init(family: Family, host: String, port: UInt16) {
        (self.family, self.host, self.port) = (family, host, port)
    }

    /// No name is looked up, but for `localhost`: an address that the resolver chooses may be everybody's.
    package init(_ text: String) throws(RelayError) {
        let wrong = RelayError(.pageAddress, RelayLink.printable(text))
        let colon = text.lastIndex(of: ":")
        let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
        guard !digits.isEmpty,
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = UInt16(digits)
        else { throw wrong }
        guard let colon else {
            self.init(family: .four, host: "127.0.0.1", port: port)
            return
        }
        guard let named = Self(literal: text[..<colon] == "localhost" ? "127.0.0.1" : String(text[..<colon]))
        else {
            throw wrong
        }
        self.init(family: named.family, host: named.host, port: port)
    }

    /// An address alone: `192.0.2.1`, or `[2001:db8::1]` in its brackets.
    package init?(literal text: String) {
        // inet_pton would stop reading at a NUL.
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        var name = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let isSix = text.hasPrefix("[") && text.hasSuffix("]") && text.utf8.count > 2
        let family = isSix ? AF_INET6 : AF_INET
        guard inet_pton(family, isSix ? String(text.dropFirst().dropLast()) : text, &bytes) == 1,
            inet_ntop(family, bytes, &name, socklen_t(name.count)) != nil
        else { return nil }
        let host = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        self.init(family: isSix ? .six : .four, host: host, port: 0)
    }

    /// Only programs of this host can come.
    package var isLoopback: Bool { family == .four ? host.hasPrefix("127.") : host == "::1" }

    /// Every address of this host.
    package var isAny: Bool { host == "0.0.0.0" || host == "::" }

    /// As it stands in an address line.
    package var literal: String { family == .six ? "[\(host)]" : host }
    package var authority: String { "\(literal):\(port)" }

    package func with<Result>(_ use: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch family {
        case .four:
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            inet_pton(AF_INET, host, &name.sin_addr)
            return withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    use($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .six:
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            inet_pton(AF_INET6, host, &name.sin6_addr)
            return withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    use($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }
}
