/// The page as it is sent: one text with its style and its script in it, and a policy under which the browser takes
/// nothing else. Its sources are in `page/`.
package enum StatusPage {
    package static func response() -> WebResponse {
        let nonce = WebToken.random().text
        let page = ["style": style, "script": script, "nonce": nonce].reduce(into: markup) { page, part in
            page = page.split(separator: "{\(part.key)}", omittingEmptySubsequences: false)
                .joined(separator: part.value)
        }
        var response = WebResponse(type: "text/html; charset=utf-8", body: Array(page.utf8))
        response.policy = [
            "default-src 'none'", "style-src 'nonce-\(nonce)'", "script-src 'nonce-\(nonce)'",
            "connect-src 'self'",
            "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
            // Nothing that is set as HTML, by whatever slip, is taken.
            "require-trusted-types-for 'script'", "trusted-types 'none'",
        ].joined(separator: "; ")
        return response
    }
}
