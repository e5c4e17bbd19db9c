/// What a relay tells those who ask a kernel that there is none of.
package struct Speech: Sendable, Equatable {
    /// The error's name: a stable code.
    package var name: String
    /// What happened, on one line.
    package var text: String
    /// What a notebook shows below the cell.
    package var traceback: [String]
    /// Nobody knows of it yet: where no cell waits for an answer, the next one gets it before anything is tried again.
    package var isNews: Bool
    /// The same matter in other words, since more is known of it: nobody who was answered is answered again.
    package var isRenewal = false

    package init(name: String, text: String, traceback: [String], isNews: Bool = false) {
        self.name = name
        self.text = text
        self.traceback = traceback
        self.isNews = isNews
    }
}

/// What a relay tells its owner, where the owner listens.
package enum RelayEvent: Sendable, Equatable {
    /// The kernel has answered, and requests pass.
    case reached
    /// There is no kernel, and a cell waits for one.
    case attempt
    /// A client wants the attempt to end.
    case interrupted
    /// A client has asked the kernel to end, or the relay in its place.
    case shutdown
}
