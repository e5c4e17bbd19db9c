/// Why a message or a connection did not pass.
public enum Rejection: String, CaseIterable, Sendable, Codable, CodingKeyRepresentable {
    /// The signature is not the one that the key makes of the four parts.
    case badSignature
    /// A key is set, and the signature frame is empty.
    case missingSignature
    /// No `<IDS|MSG>` frame.
    case missingDelimiter
    /// Fewer than a signature and four parts behind the delimiter.
    case missingParts
    /// Nothing in front of the delimiter tells whom the message is for.
    case missingIdentity
    /// More than 4,096 frames.
    case tooManyFrames
    /// A connection that did not finish its ZMTP or CURVE handshake: a port scan, a browser, a stranger.
    case handshake
    /// The message is for a client that has gone.
    case clientGone
    /// The message was meant for a kernel that has gone.
    case stale
    /// The kernel's answer to an interrupt that the relay had answered by then.
    case lateReply
    /// The relay ended before the receiver took the message.
    case stopped
}
