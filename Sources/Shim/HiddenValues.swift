import Glibc
import Host

/// Takes the values of variables out of this process's command line, where everybody on the machine can read them, and
/// what an engine's client is told that is nobody's business.
///
/// What `ps` shows is a stretch of the process's own memory, which it may write. So from its first milliseconds on
/// a shim's command line says `NAME=...`. It is read before by nobody but a program that looks in just that moment.
package enum HiddenValues {
    /// Call it when all words have been read: where they stood, others do then.
    package static func hide(_ words: [String], options: Set<String>, flags: Set<String>) {
        let places = places(in: words, options: options, flags: flags)
        guard !places.isEmpty, let memory = ownWords() else { return }
        // The program's own name comes first.
        let shown = masked(
            memory.split(separator: 0, omittingEmptySubsequences: false).map(Array.init),
            Dictionary(uniqueKeysWithValues: places.map { ($0.key + 1, $0.value) }))
        for (index, byte) in shown.prefix(memory.count).enumerated() { memory[index] = byte }
    }

    /// What of a word is not to be read.
    package enum Secret: Equatable, Sendable {
        /// The value behind so many `=`.
        case value(behind: Int)
        /// A client's words, behind so many `=`, are shown as an error shows them.
        case client(behind: Int)
    }

    package static func places(
        in words: [String], options: Set<String>, flags: Set<String>
    ) -> [Int: Secret] {
        let sections = WordSections(words, options: options, flags: flags)
        var places: [Int: Secret] = [:]
        var index = sections.ours.lowerBound
        while index < sections.ours.upperBound {
            let isLast = index + 1 == sections.ours.upperBound
            switch words[index] {
            case "--env" where !isLast: places[index + 1] = .value(behind: 1)
            case "--docker" where !isLast: places[index + 1] = .client(behind: 0)
            case let word where word.hasPrefix("--env="): places[index] = .value(behind: 2)
            case let word where word.hasPrefix("--docker="): places[index] = .client(behind: 1)
            default: break
            }
            index += words[index].contains("=") || flags.contains(words[index]) ? 1 : 2
        }
        for variable in RunArguments.variables(in: words[sections.run]) {
            places[variable.words.upperBound - 1] = .value(behind: variable.signsBefore + 1)
        }
        return places
    }

    /// The same number of bytes: what the words have become shorter by is at the end.
    package static func masked(_ words: [[UInt8]], _ places: [Int: Secret]) -> [UInt8] {
        let length = words.reduce(0) { $0 + $1.count } + words.count - 1
        let shown = words.enumerated().map { index, word in
            switch places[index] {
            case .value(let signs):
                part(of: word, behind: signs) {
                    [UInt8](repeating: UInt8(ascii: "."), count: min(3, $0.count))
                }
            case .client(let signs): part(of: word, behind: signs, shownClient)
            case nil: word
            }
        }
        let bytes = Array(shown.joined(separator: [0]))
        return bytes + [UInt8](repeating: 0, count: length - bytes.count)
    }

    /// - Parameter shown: what stands in the part's place. No more is written than there was room for.
    private static func part(
        of word: [UInt8], behind signs: Int, _ shown: (ArraySlice<UInt8>) -> [UInt8]
    ) -> [UInt8] {
        let all = word.indices.filter { word[$0] == UInt8(ascii: "=") }
        // A bare name has none.
        guard all.count >= signs else { return word }
        let start = signs == 0 ? 0 : all[signs - 1] + 1
        return word[..<start] + shown(word[start...])
    }

    /// Words that cannot be read are refused in a moment, and shown as one.
    private static func shownClient(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        let words = (try? CommandWords.read(text)) ?? [text]
        let masked = ClientWords.masked(words)
        return masked == words ? Array(bytes) : Array(masked.joined(separator: " ").utf8.prefix(bytes.count))
    }

    /// The memory from which the system tells the command line, by where it says that it is.
    private static func ownWords() -> UnsafeMutableBufferPointer<UInt8>? {
        guard let file = fopen("/proc/self/stat", "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        // Behind the program's name, which may hold anything, begins the third field.
        guard let name = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(name + 1)..<count].split(whereSeparator: { $0 == 0x20 || $0 == 0x0A })
        func number(_ field: Int) -> UInt? {
            let place = field - 3
            return fields.indices.contains(place) ? UInt(String(decoding: fields[place], as: UTF8.self)) : nil
        }
        guard let start = number(48), let end = number(49), start > 0, end > start + 1 else { return nil }
        // Without the last word's own end.
        return UnsafeMutableBufferPointer(start: .init(bitPattern: start), count: Int(end - start) - 1)
    }
}
