/// What a relay says to a cell that waits, beside what the kernel says.
package struct Remark: Sendable, Equatable {
    package var text: String
    /// What is in the way, by a name that stays while the text changes; nothing when it is over.
    package var trouble: String?

    package static let over = Remark("\n[relayd] it goes on\n", trouble: nil)

    package init(_ text: String, trouble: String?) {
        self.text = text
        self.trouble = trouble
    }
}
