/// What goes back, whole or as the beginning of a stream.
package struct WebResponse: Sendable {
    package var status: String
    package var type: String
    /// Nothing for a stream, which ends with its connection.
    package var body: [UInt8]?
    package var policy = "default-src 'none'; frame-ancestors 'none'"
    package var more: [String] = []

    package init(_ status: String = "200 OK", type: String, body: [UInt8]?) {
        (self.status, self.type, self.body) = (status, type, body)
    }

    package init(_ refusal: HTTPRefusal) {
        self.init(
            "\(refusal.rawValue) \(refusal.phrase)", type: "text/plain; charset=utf-8",
            body: Array("\(refusal.text)\n".utf8))
        if refusal == .notAllowed { more = ["Allow: GET, HEAD"] }
        if refusal == .tokenMissing { more = ["WWW-Authenticate: Bearer"] }
    }

    package func encoded(headOnly: Bool) -> [UInt8] {
        var lines = [
            "HTTP/1.1 \(status)", "Content-Type: \(type)", "Connection: close", "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Referrer-Policy: no-referrer",
            "Cross-Origin-Resource-Policy: same-origin", "Cross-Origin-Opener-Policy: same-origin",
            "Content-Security-Policy: \(policy)",
        ]
        if let body { lines.append("Content-Length: \(body.count)") }
        let head = (lines + more).joined(separator: "\r\n") + "\r\n\r\n"
        return Array(head.utf8) + (headOnly ? [] : body ?? [])
    }
}
