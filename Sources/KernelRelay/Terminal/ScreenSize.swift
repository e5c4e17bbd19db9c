import Glibc

/// The letters that a screen has room for.
package struct ScreenSize: Sendable, Equatable {
    package var columns: Int
    package var rows: Int

    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }

    /// That of a terminal; nothing where there is none, or it does not know.
    package init?(of descriptor: Int32) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return nil
        }
        columns = Int(size.ws_col)
        rows = Int(size.ws_row)
    }
}
