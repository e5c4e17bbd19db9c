/// What a person presses.
package enum KeyPress: Sendable, Equatable {
    case letter(Character)
    case up, down, left, right, home, end, pageUp, pageDown
    case enter, escape, backspace, tab
    /// A key that nobody here asks for.
    case other
}
