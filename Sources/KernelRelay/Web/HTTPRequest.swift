/// A request that may be answered: it asks for something, and brings nothing.
package struct HTTPRequest: Sendable, Equatable {
    /// The head alone is wanted.
    package var isHead = false
    package var path: String
    /// As it stood behind the question mark; nothing here is worth an escape.
    package var query: [String: String] = [:]
    package var host: String
    /// The word behind `Bearer` in Authorization.
    package var bearer: String?
}

/// Why a request gets no more than a line.
package enum HTTPRefusal: Int, Error, Sendable, CaseIterable {
    case malformed = 400
    case tokenMissing = 401
    case notFound = 404
    case notAllowed = 405
    case tooSlow = 408
    case hasBody = 413
    case targetTooLong = 414
    case wrongHost = 421
    case headTooLong = 431
    case tooMany = 503
    case version = 505

    package var phrase: String {
        switch self {
        case .malformed: "Bad Request"
        case .tokenMissing: "Unauthorized"
        case .notFound: "Not Found"
        case .notAllowed: "Method Not Allowed"
        case .tooSlow: "Request Timeout"
        case .hasBody: "Content Too Large"
        case .targetTooLong: "URI Too Long"
        case .wrongHost: "Misdirected Request"
        case .headTooLong: "Request Header Fields Too Large"
        case .tooMany: "Service Unavailable"
        case .version: "HTTP Version Not Supported"
        }
    }

    /// For the person who reads it.
    package var text: String {
        switch self {
        case .tokenMissing: "This page needs its token: `relayd page` prints the whole address."
        case .wrongHost: "This page does not go by that name: `relayd page` prints its address."
        case .notFound: "There is /, /metrics, /status.json and /events."
        case .notAllowed: "This page is for reading: GET and HEAD."
        case .tooMany: "Too many read this page at once."
        default: "\(phrase)."
        }
    }
}
