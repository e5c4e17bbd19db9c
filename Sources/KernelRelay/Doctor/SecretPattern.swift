import Host

/// What looks like a secret: what stands between `//` and `@` in an address, values behind names such as TOKEN, values of
/// `--env`, what authorises a request, long runs of hexadecimal digits.
///
/// Each byte is looked at a few times at most, whatever the text: a log's line may be long, and a stranger's.
enum SecretPattern {
    static func clean(_ text: String) -> String {
        var scan = Scan(bytes: Array(withoutPasswords(text).utf8))
        return withoutDigits(scan.cleaned())
    }

    private static func withoutPasswords(_ text: String) -> String {
        ClientWords.withoutPasswords(text, mask: Redactor.removed)
    }

    private static func withoutDigits(_ bytes: [UInt8]) -> String {
        var shown: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.first {
            let run = byte.isHex ? rest.prefix { $0.isHex || $0 == UInt8(ascii: "-") } : rest.prefix(1)
            shown += isKey(run) ? Array(Redactor.removed.utf8)[...] : run
            rest = rest[run.endIndex...]
        }
        return String(decoding: shown, as: UTF8.self)
    }

    /// As many digits as an id or a key has, in groups or not.
    private static func isKey(_ run: ArraySlice<UInt8>) -> Bool {
        guard run.count >= 31 else { return false }
        return run.split(separator: UInt8(ascii: "-")).contains { $0.count >= 8 }
    }
}

/// One walk through a text, from word to word.
private struct Scan {
    let bytes: [UInt8]
    private var shown: [UInt8] = []
    /// What is before it has been shown or left out.
    private var place = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func cleaned() -> [UInt8] {
        while place < bytes.count {
            let end = after(place) { $0.isName || $0 == UInt8(ascii: "-") }
            guard end > place else {
                shown.append(bytes[place])
                place += 1
                continue
            }
            let word = place..<end
            let value =
                authorisation(behind: word) ?? variable(behind: word) ?? option(behind: word) ?? named(word)
            shown += bytes[place..<(value?.lowerBound ?? end)]
            if value != nil { shown += Array(Redactor.removed.utf8) }
            place = value?.upperBound ?? end
        }
        return shown
    }

    // MARK: - Rules: where the value is that a word announces

    /// `Authorization: Bearer VALUE`, and each of the two alone.
    private func authorisation(behind word: Range<Int>) -> Range<Int>? {
        var start: Int
        if ends(word, in: ["authorization"]) {
            let sign = after(word.upperBound) { $0.isSpace }
            guard isSign(sign) else { return nil }
            start = after(sign + 1) { $0.isSpace }
        } else {
            guard ends(word, in: ["bearer", "basic"]) else { return nil }
            start = after(word.upperBound) { $0.isSpace }
            guard start > word.upperBound else { return nil }
        }
        let scheme = start..<after(start) { $0.isName }
        let next = after(scheme.upperBound) { $0.isSpace }
        if ends(scheme, in: ["bearer", "basic", "token"]), next > scheme.upperBound { start = next }
        return some(start..<after(start) { !$0.isSpace })
    }

    /// `--env NAME=VALUE`
    private func variable(behind word: Range<Int>) -> Range<Int>? {
        let option = bytes[word]
        let sign = byte(word.upperBound)
        guard
            option.elementsEqual("--env".utf8) && (sign == UInt8(ascii: "=") || sign == UInt8(ascii: " "))
                || option.elementsEqual("-e".utf8) && sign == UInt8(ascii: " ")
        else { return nil }
        let quote = byte(word.upperBound + 1)
        let start = word.upperBound + (quote.isQuote ? 2 : 1)
        let end = after(start) { $0.isName }
        guard end > start, byte(end) == UInt8(ascii: "=") else { return nil }
        if quote.isQuote { return some(end + 1..<after(end + 1) { $0 != quote }) }
        return quoted(end + 1) ?? some(end + 1..<after(end + 1) { !$0.isSpace && !$0.isQuote })
    }

    /// `--token VALUE`, where it begins a word: a name with a dash in it is none.
    private func option(behind word: Range<Int>) -> Range<Int>? {
        guard bytes[word.lowerBound] == UInt8(ascii: "-"),
            word.lowerBound == 0 || bytes[word.lowerBound - 1].isSpace, isSecret(word)
        else { return nil }
        let start = after(word.upperBound) { $0.isSpace }
        guard start > word.upperBound, byte(start) != UInt8(ascii: "-") else { return nil }
        return some(start..<after(start) { !$0.isSpace })
    }

    /// `TOKEN=VALUE`, `"token": "VALUE"`
    private func named(_ word: Range<Int>) -> Range<Int>? {
        let dash = bytes[word].lastIndex(of: UInt8(ascii: "-"))
        guard isSecret((dash.map { $0 + 1 } ?? word.lowerBound)..<word.upperBound) else { return nil }
        let quote = word.upperBound + (byte(word.upperBound).isQuote ? 1 : 0)
        let sign = after(quote) { $0.isSpace }
        guard isSign(sign) else { return nil }
        let start = after(sign + 1) { $0.isSpace }
        return quoted(start)
            ?? some(
                start..<after(start) { !$0.isSpace && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: ";") })
    }

    // MARK: - Parts

    private func after(_ start: Int, while isPart: (UInt8) -> Bool) -> Int {
        var end = start
        while end < bytes.count, isPart(bytes[end]) { end += 1 }
        return end
    }

    /// 0 behind the end.
    private func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    private func isSign(_ index: Int) -> Bool {
        byte(index) == UInt8(ascii: "=") || byte(index) == UInt8(ascii: ":")
    }

    private func some(_ range: Range<Int>) -> Range<Int>? { range.isEmpty ? nil : range }

    /// What quotes hold, with them.
    private func quoted(_ start: Int) -> Range<Int>? {
        let quote = byte(start)
        guard quote.isQuote, let end = bytes[(start + 1)...].firstIndex(of: quote) else { return nil }
        return start..<end + 1
    }

    /// In small letters.
    private func ends(_ word: Range<Int>, in endings: [String]) -> Bool {
        endings.contains { ending in
            ending.utf8.count <= word.count
                && zip(ending.utf8, bytes[word].suffix(ending.utf8.count)).allSatisfy { $0 == $1.small }
        }
    }

    private func isSecret(_ word: Range<Int>) -> Bool { SecretName.isSecret(bytes[word]) }
}

extension UInt8 {
    fileprivate var small: UInt8 { (0x41...0x5A).contains(self) ? self + 0x20 : self }
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
    /// Letters of other alphabets are letters, too.
    fileprivate var isName: Bool {
        isDigit || (0x61...0x7A).contains(small) || self == UInt8(ascii: "_") || self >= 0x80
    }
    fileprivate var isHex: Bool { isDigit || (0x61...0x66).contains(small) }
    fileprivate var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
    fileprivate var isQuote: Bool { self == UInt8(ascii: "'") || self == UInt8(ascii: "\"") }
}
