/// The gate's password. Never shown, and compared in a time that does not tell how much of it was right.
package struct Token: Sendable, CustomStringConvertible, CustomReflectable {
    private let bytes: [UInt8]

    package init(_ text: String) { bytes = Array(text.utf8) }

    @inline(never)
    package func matches(_ other: [UInt8]) -> Bool {
        var difference = UInt8(bytes.count == other.count ? 0 : 1)
        for index in bytes.indices { difference |= bytes[index] ^ (index < other.count ? other[index] : 0) }
        return difference == 0
    }

    package var description: String { "a token" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
