/// What the head of an ELF file says of how it is loaded.
package enum ProgramHeader {
    /// The loader that the program asks for; nothing for one that is static, or for no 64-bit little-endian ELF at all.
    package static func interpreter(of bytes: [UInt8]) -> String? {
        guard bytes.count >= 64, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]) else { return nil }
        func number(at offset: Int, bytes count: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - count else { return nil }
            let value = (0..<count).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << UInt64($1 * 8) }
            return Int(exactly: value)
        }
        guard let table = number(at: 32, bytes: 8), let size = number(at: 54, bytes: 2), size >= 56,
            let count = number(at: 56, bytes: 2), table < bytes.count
        else { return nil }
        for index in 0..<count {
            let entry = table + index * size
            guard let kind = number(at: entry, bytes: 4) else { return nil }
            // PT_INTERP
            guard kind == 3 else { continue }
            guard let start = number(at: entry + 8, bytes: 8), let length = number(at: entry + 32, bytes: 8),
                start < bytes.count, length > 0, length <= bytes.count - start
            else { return "a loader" }
            return String(decoding: bytes[start..<start + length].prefix { $0 != 0 }, as: UTF8.self)
        }
        return nil
    }
}
