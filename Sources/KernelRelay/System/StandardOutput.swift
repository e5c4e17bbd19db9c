import Glibc

/// What a program says, out at once: whoever follows it must not wait for a buffer to fill.
package enum StandardOutput {
    /// Whether all of it is out.
    @discardableResult
    package static func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult
    package static func say(_ lines: [String]) -> Bool { write(Array(lines.map { "\($0)\n" }.joined().utf8)) }
}
