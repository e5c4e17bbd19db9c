/// Why there is no kernel, for the person who waits for it: what happened, what was seen, and the very command that
/// mends it. The notebook, the shim's stderr and the status report say the same.
package struct Explanation: Sendable, Equatable {
    /// Of an error catalogue.
    package var code: String
    /// A code of what was found besides.
    package var finding: String?
    /// What happened and why, on one line.
    package var text: String
    /// What was seen: the kernel's last lines, or how far a launch came.
    package var details: [String] = []
    /// What to do, in words.
    package var advice: String
    /// What to type, the best first.
    package var commands: [String] = []
    /// What the next cell does.
    package var outlook: String

    /// Advice and commands on one line.
    package var remedy: String {
        commands.isEmpty ? advice : "\(advice) \(commands.joined(separator: "; or: "))"
    }

    /// The same as a refusal, as it travels to a shim.
    package var refusal: Refusal { Refusal(code: code, message: text, remedy: remedy) }

    /// As a notebook shows it: red where colours are shown, and to be read without them.
    package var traceback: [String] {
        let escape = "\u{1B}["
        var lines = ["\(escape)1;31m\(code)\(escape)0m: \(escape)31m\(text)\(escape)0m"]
        lines += details.map { "  \($0)" }
        lines += ["", advice]
        lines += commands.map { "    \(escape)1;36m\($0)\(escape)0m" }
        return lines + ["", outlook]
    }
}
