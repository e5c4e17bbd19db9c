/// Tells clients from strangers among those who connect to one front socket.
///
/// libzmq reports a stranger's end in different ways. One that sends noise may be taken for a peer of the
/// oldest protocol, which has no handshake to fail, and only its end is reported. So a stranger is whoever was
/// accepted and left without a handshake. The report of a handshake does not say whose it was; it is given to
/// the one who waits longest, and the sum comes out right whichever it was.
package struct Callers {
    /// Descriptors of those without a handshake, the oldest first.
    private var waiting: [Int32] = []
    /// All of them, with and without.
    package private(set) var present: Set<Int32> = []

    package init() {}

    package mutating func accepted(_ descriptor: Int32) {
        waiting.append(descriptor)
        present.insert(descriptor)
    }

    package mutating func shookHands() {
        if !waiting.isEmpty { waiting.removeFirst() }
    }

    /// Whether the one who left was a stranger.
    package mutating func left(_ descriptor: Int32) -> Bool {
        present.remove(descriptor)
        guard let index = waiting.firstIndex(of: descriptor) else { return false }
        waiting.remove(at: index)
        return true
    }
}
