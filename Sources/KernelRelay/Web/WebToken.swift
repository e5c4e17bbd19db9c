/// The word without which nobody reads the page from elsewhere. It lives in memory, goes with the relayd that drew it,
/// and is told on the control socket alone.
package struct WebToken: Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func random() -> WebToken {
        // The system's own source, which is made for keys.
        var source = SystemRandomNumberGenerator()
        let digits = (0..<48).map { _ in String(Int.random(in: 0..<16, using: &source), radix: 16) }
        return WebToken(digits.joined())
    }

    /// In a time that does not depend on where they differ.
    package func matches(_ other: String) -> Bool {
        let (mine, theirs) = (Array(text.utf8), Array(other.utf8))
        guard mine.count == theirs.count else { return false }
        return zip(mine, theirs).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
