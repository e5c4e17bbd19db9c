/// Words as one types them in a POSIX shell.
package enum ShellWord {
    private static let plain = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-".utf8)

    package static func quote(_ word: String) -> String {
        if !word.isEmpty, word.utf8.allSatisfy(plain.contains) { return word }
        let inner = word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
        return "'\(inner)'"
    }
}
