import Glibc
import Synchronization

/// What relayd writes down: one line for each event, never one for each message, never a key or a value of an
/// environment. Off until relayd turns it on, so that a program that embeds a relay hears nothing.
package enum Log {
    private static let isOn = Atomic<Bool>(false)

    package static func turnOn() { isOn.store(true, ordering: .relaxed) }

    /// - Parameter facts: names and values; values are quoted where they need it.
    package static func note(_ event: String, _ facts: KeyValuePairs<String, String> = [:]) {
        guard isOn.load(ordering: .relaxed) else { return }
        let words = facts.map { "\($0.key)=\(quoted($0.value))" }
        let line = Array("\(now()) \(event)\(words.map { " " + $0 }.joined())\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    private static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func quoted(_ whole: String) -> String {
        // A gate's words are a stranger's.
        let value = String(whole.prefix(500))
        let isPlain =
            !value.isEmpty && value.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") }
        if isPlain { return value }
        var text = ""
        for scalar in value.unicodeScalars {
            // One event is one line, whatever a container is called.
            if scalar.value < 32 || scalar.value == 127 || scalar == "\"" || scalar == "\\" {
                text += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return "\"\(text)\""
    }
}
