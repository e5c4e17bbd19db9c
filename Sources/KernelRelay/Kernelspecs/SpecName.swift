import RelayLink

/// The name of a kernel: a folder's, and what `jupyter console --kernel` takes.
package enum SpecName {
    /// Jupyter's own kernels. Its tools treat them differently: nbclient appends words, Lab prefers them.
    private static let taken: Set<String> = ["python", "python2", "python3"]
    private static let longest = 80

    /// Refuses what Jupyter would not show, and what would be another folder.
    package static func check(_ name: String) throws(RelayError) {
        let isLegal =
            !name.isEmpty && name.utf8.count <= longest && name.utf8.allSatisfy(isPlain)
            && !name.hasPrefix(".") && !taken.contains(name)
        guard isLegal else { throw RelayError(.specName, printable(name)) }
    }

    /// A legal name that reads like `text`, whatever that is.
    package static func from(_ text: String) -> String {
        var name: [UInt8] = []
        for scalar in text.lowercased().unicodeScalars {
            let letters = LatinLetters.plain(scalar).map { Array($0.utf8) } ?? []
            if !letters.isEmpty {
                name += letters
            } else if !LatinLetters.isMark(scalar), name.last != dash {
                name.append(dash)
            }
        }
        let ends: Set<UInt8> = [dash, UInt8(ascii: "."), UInt8(ascii: "_")]
        name = Array(name.drop(while: ends.contains).prefix(longest - 10))
        while let last = name.last, ends.contains(last) { name.removeLast() }
        let plain = String(decoding: name, as: UTF8.self)
        if plain.isEmpty { return "container" }
        return taken.contains(plain) ? "\(plain)-relay" : plain
    }

    private static let dash = UInt8(ascii: "-")

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), dash,
            UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// The plain letters for the marked ones of Europe's Latin alphabets. The whole of Unicode's tables come with
/// Foundation, at 40 MB.
private enum LatinLetters {
    static func plain(_ scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "a"..."z", "0"..."9", ".", "_": return String(scalar)
        default: return table[scalar]
        }
    }

    /// A mark of its own, behind the letter that it belongs to.
    static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        [.nonspacingMark, .enclosingMark, .format].contains(scalar.properties.generalCategory)
    }

    private static let table: [Unicode.Scalar: String] = {
        let groups = [
            "a": "àáâãäåāăąª", "ae": "æ", "c": "çćĉċč", "d": "ðďđ", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥħ",
            "i": "ìíîïĩīĭįı", "j": "ĵ", "k": "ķ", "l": "ĺļľŀł", "n": "ñńņňŋ", "o": "òóôõöøōŏőº", "oe": "œ",
            "r": "ŕŗř", "s": "śŝşšș", "ss": "ß", "t": "ţťŧț", "th": "þ", "u": "ùúûüũūŭůűų", "w": "ŵ",
            "y": "ýÿŷ",
            "z": "źżž",
        ]
        var table: [Unicode.Scalar: String] = [:]
        for (plain, marked) in groups {
            for scalar in marked.unicodeScalars { table[scalar] = plain }
        }
        return table
    }()
}
