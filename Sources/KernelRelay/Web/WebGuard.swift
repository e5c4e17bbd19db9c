/// Who may read the page.
///
/// Where more than this host can come, a token decides. On loopback the name does: a page of the web can make its own name
/// point at 127.0.0.1, and so have a browser fetch from here what it then may read. The browser says the name that it
/// went by; what is not one of ours is refused. Such a page does not know the token, and a host may have many names.
package struct WebGuard: Sendable {
    package let address: WebAddress
    /// Nothing on loopback.
    package let token: WebToken?

    package init(_ address: WebAddress, token: WebToken?) { (self.address, self.token) = (address, token) }

    package func check(_ request: HTTPRequest) throws(HTTPRefusal) {
        guard let token else {
            guard knows(request.host) else { throw .wrongHost }
            return
        }
        let shown = [request.query["token"], request.bearer].compactMap(\.self)
        guard shown.contains(where: token.matches) else { throw .tokenMissing }
    }

    /// Whether a Host header names this page on loopback.
    package func knows(_ header: String) -> Bool {
        guard let (host, port) = Self.parts(header.lowercased()), (port ?? 80) == address.port else {
            return false
        }
        if host == "localhost" || host == address.literal { return true }
        let literal = WebAddress(literal: host)?.host
        return literal == address.host || literal == "127.0.0.1" || literal == "::1"
    }

    private static func parts(_ header: String) -> (host: String, port: UInt16?)? {
        let close = header.lastIndex(of: "]")
        guard let colon = header.lastIndex(of: ":"), close.map({ $0 < colon }) ?? true else {
            return (header, nil)
        }
        let digits = header[header.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = UInt16(digits)
        else { return nil }
        return (String(header[..<colon]), port)
    }
}
