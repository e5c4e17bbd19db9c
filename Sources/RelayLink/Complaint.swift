import Glibc

/// What goes to stderr, for a person: in one write, so that lines of several programs do not mix.
package enum Complaint {
    package static func say(_ text: String) {
        let line = Array("\(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
