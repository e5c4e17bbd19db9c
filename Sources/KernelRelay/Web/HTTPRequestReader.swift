/// Reads the head of one request, in whatever pieces it comes.
///
/// It knows no more of HTTP/1.1 than a page for reading needs, and refuses the rest: a reader that forgives is a
/// reader that another one understands differently.
package struct HTTPRequestReader: Sendable {
    package static let longestHead = 8 * 1024
    package static let mostHeaders = 64

    private var bytes: [UInt8] = []
    /// Up to here no head ends.
    private var searched = 0

    package init() {}

    /// The request, once its head is whole. What comes behind it is nobody's.
    package mutating func feed(_ more: some Collection<UInt8>) throws(HTTPRefusal) -> HTTPRequest? {
        // A TLS hello, or anything else that is no text, is refused before it is whole.
        guard more.allSatisfy({ $0 >= 32 && $0 != 127 || [Self.tab, Self.cr, Self.lf].contains($0) }) else {
            throw .malformed
        }
        bytes += more.prefix(Self.longestHead + 1 - bytes.count)
        guard let end = headEnd() else {
            if bytes.count > Self.longestHead {
                throw bytes.contains(Self.cr) ? .headTooLong : .targetTooLong
            }
            return nil
        }
        return try Self.request(try Self.lines(bytes[..<end]))
    }

    private static let tab = UInt8(ascii: "\t")
    private static let cr = UInt8(ascii: "\r")
    private static let lf = UInt8(ascii: "\n")

    private mutating func headEnd() -> Int? {
        var index = max(searched, 3)
        while index < bytes.count {
            if bytes[index] == Self.lf, bytes[index - 1] == Self.cr, bytes[index - 2] == Self.lf,
                bytes[index - 3] == Self.cr
            {
                return index - 3
            }
            index += 1
        }
        searched = index
        return nil
    }

    /// Lines end with CR LF, and neither stands alone.
    private static func lines(_ head: ArraySlice<UInt8>) throws(HTTPRefusal) -> [String] {
        var lines: [String] = []
        var start = head.startIndex
        var index = start
        while index < head.endIndex {
            if head[index] == lf { throw .malformed }
            if head[index] == cr {
                guard index + 1 < head.endIndex, head[index + 1] == lf else { throw .malformed }
                lines.append(String(decoding: head[start..<index], as: UTF8.self))
                index += 1
                start = index + 1
            }
            index += 1
        }
        lines.append(String(decoding: head[start...], as: UTF8.self))
        return lines
    }

    private static func request(_ lines: [String]) throws(HTTPRefusal) -> HTTPRequest {
        let words = lines[0].split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, isToken(words[0]) else { throw .malformed }
        guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else {
            throw words[2].hasPrefix("HTTP/") ? .version : .malformed
        }
        guard words[0] == "GET" || words[0] == "HEAD" else { throw .notAllowed }
        guard words[1].hasPrefix("/"),
            words[1].utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "#") })
        else { throw .malformed }
        let headers = try headers(lines.dropFirst())
        if headers["transfer-encoding"] != nil { throw .hasBody }
        if let length = headers["content-length"], length != "0" { throw .hasBody }
        guard let host = headers["host"] else { throw .malformed }
        let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return HTTPRequest(
            isHead: words[0] == "HEAD", path: String(target[0]),
            query: target.count > 1 ? query(target[1]) : [:], host: host,
            bearer: bearer(headers["authorization"]))
    }

    private static func headers(_ lines: ArraySlice<String>) throws(HTTPRefusal) -> [String: String] {
        guard lines.count <= mostHeaders else { throw .headTooLong }
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            // A line that begins with space would belong to the one before it.
            guard parts.count == 2, isToken(parts[0]) else { throw .malformed }
            let name = parts[0].lowercased()
            let value = parts[1].drop { " \t".contains($0) }
            let end = value.lastIndex { !" \t".contains($0) }.map(value.index(after:)) ?? value.startIndex
            guard headers.updateValue(String(value[..<end]), forKey: name) == nil || !alone.contains(name)
            else {
                throw .malformed
            }
        }
        return headers
    }

    /// Readers differ in which of two they believe.
    private static let alone: Set = ["host", "content-length", "transfer-encoding", "authorization"]

    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    private static func query(_ text: Substring) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return fields
    }

    private static func bearer(_ header: String?) -> String? {
        guard let words = header?.split(separator: " "), words.count == 2, words[0].lowercased() == "bearer"
        else {
            return nil
        }
        return String(words[1])
    }
}
