import RelayLink

/// Changes single strings in a JSON text, and leaves every other byte as it is.
///
/// Not a reader: decoding and encoding again would round somebody's numbers and lose doubled names. It looks at where
/// strings stand and at nothing else; a text that is not JSON loses nothing by it, either.
package enum JSONStrings {
    /// For one element of a list in the place of a string.
    package static let element = "[]"

    /// The text with other strings at `places`; nothing when none is another.
    ///
    /// - Parameters:
    ///   - places: names from the outermost object to the string, ``element`` for any element of a list.
    ///   - change: what is to stand for a string; nothing where it stays.
    package static func replacing(
        in text: UnsafeRawBufferPointer, at places: [[String]], with change: (String) -> String?
    ) -> [UInt8]? {
        var scan = Scan(text: text, deepest: places.map(\.count).max() ?? 0)
        var result: [UInt8] = []
        var copied = 0
        while let string = scan.next() {
            guard places.contains(scan.path) else { continue }
            let quoted = Array(text[string])
            guard let old = (try? JSON(parsing: quoted))?.text, let new = change(old), new != old else {
                continue
            }
            result += text[copied..<string.lowerBound]
            result += JSON.string(new).encoded
            copied = string.upperBound
        }
        return copied == 0 ? nil : result + text[copied...]
    }
}

/// Steps from string to string. Without recursion, however deep the text is nested.
private struct Scan {
    let text: UnsafeRawBufferPointer
    /// Names below this are of no interest.
    let deepest: Int
    /// Where the string stands that was found last.
    private(set) var path: [String] = []
    private var isObject: [Bool] = []
    private var index = 0
    private var isNameNext = false

    init(text: UnsafeRawBufferPointer, deepest: Int) {
        self.text = text
        self.deepest = deepest
    }

    /// The bytes of the next string that is a value, with its quotes.
    mutating func next() -> Range<Int>? {
        while index < text.count {
            let byte = text[index]
            index += 1
            switch byte {
            case UInt8(ascii: "{"): enter(object: true)
            case UInt8(ascii: "["): enter(object: false)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = isObject.popLast()
                _ = path.popLast()
                isNameNext = false
            case UInt8(ascii: ","): isNameNext = isObject.last == true
            case UInt8(ascii: ":"): isNameNext = false
            case UInt8(ascii: "\""):
                let start = index - 1
                guard skipString() else { return nil }
                guard isNameNext else { return start..<index }
                // A name with an escape in it is none that is looked for.
                let isNear = path.count <= deepest
                path[path.count - 1] =
                    isNear ? String(decoding: text[start + 1..<index - 1], as: UTF8.self) : ""
            default: continue
            }
        }
        return nil
    }

    private mutating func enter(object: Bool) {
        isObject.append(object)
        path.append(object ? "" : JSONStrings.element)
        isNameNext = object
    }

    /// To behind its closing quote; false where there is none.
    private mutating func skipString() -> Bool {
        while index < text.count {
            let byte = text[index]
            index += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return true }
        }
        return false
    }
}
