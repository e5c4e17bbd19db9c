import RelayLink

/// The last lines of what a program wrote, fit for a person's eyes: it is a stranger's text.
package enum LastLines {
    package static func of(_ bytes: [UInt8], atMost count: Int = 8) -> [String] {
        let lines = withoutColours(String(decoding: bytes, as: UTF8.self)).split(whereSeparator: \.isNewline)
        return lines.suffix(count).map { RelayLink.printable(String($0), limit: 300) }
    }

    /// Takes away what terminals take for orders: `ESC [`, its parameters, and a letter.
    private static func withoutColours(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\u{1B}", rest.first == "[" else {
                if scalar != "\r" { result.append(scalar) }
                continue
            }
            rest = rest.dropFirst().drop { (0x20...0x3F).contains($0.value) }.dropFirst()
        }
        return String(result)
    }

    /// Whether the launcher is there, and what it launches is not.
    package static func lacksIpykernel(_ bytes: [UInt8]) -> Bool {
        of(bytes).contains { $0.hasPrefix("ModuleNotFoundError: No module named 'ipykernel") }
    }

    /// The interpreter that says of itself that it has no ipykernel. Its word is used in a command, so that nothing but a
    /// plain absolute path is believed.
    package static func interpreterWithoutIpykernel(_ bytes: [UInt8]) -> String? {
        for line in of(bytes).reversed() {
            for module in ["ipykernel_launcher", "ipykernel"] {
                let ending = ": No module named \(module)"
                guard line.hasSuffix(ending) else { continue }
                let path = line.dropLast(ending.count)
                let isPlain = path.utf8.allSatisfy { byte in
                    byte < 0x7F && byte > 0x20 && !"'\"\\$`;&|<>()*?!#~".utf8.contains(byte)
                }
                if path.hasPrefix("/"), path.utf8.count <= 255, isPlain { return String(path) }
            }
        }
        return nil
    }
}
