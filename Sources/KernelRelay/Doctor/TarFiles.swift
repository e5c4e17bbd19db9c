/// The regular files of a POSIX tar archive, as an engine's `cp` writes it. What is broken ends it: a container's word is a
/// stranger's.
package enum TarFiles {
    package struct File: Sendable, Equatable {
        package let name: String
        package let bytes: [UInt8]
    }

    private static let block = 512

    package static func read(_ archive: [UInt8]) -> [File] {
        var files: [File] = []
        var position = 0
        while position + block <= archive.count {
            let header = archive[position..<position + block]
            guard let size = octal(field(header, 124, 12)) else { break }
            let start = position + block
            guard size <= archive.count - start else { break }
            let kind = header[position + 156]
            // Names of more than a hundred bytes stand in records of other kinds, and are not looked for.
            if kind == UInt8(ascii: "0") || kind == 0, let name = text(field(header, 0, 100)), !name.isEmpty {
                let prefix = text(field(header, 345, 155)) ?? ""
                files.append(
                    File(
                        name: prefix.isEmpty ? name : "\(prefix)/\(name)",
                        bytes: Array(archive[start..<start + size])))
            }
            position = start + (size + block - 1) / block * block
        }
        return files
    }

    private static func field(_ header: ArraySlice<UInt8>, _ offset: Int, _ length: Int) -> ArraySlice<UInt8>
    {
        header[header.startIndex + offset..<header.startIndex + offset + length]
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String? {
        String(validating: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Nothing for what is no number; files of gigabytes, which have another form, are none that anybody looks for.
    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        guard let digits = text(field)?.filter({ $0 != " " }), !digits.isEmpty else { return nil }
        return Int(digits, radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }
}
