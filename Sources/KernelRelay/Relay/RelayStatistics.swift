/// What a relay has done so far, read without holding it up.
public struct RelayStatistics: Sendable, Codable {
    /// One direction of one channel.
    public struct Lane: Sendable, Codable {
        /// The channel.
        public let channel: Channel
        /// The direction.
        public let direction: Direction
        /// Messages handed on.
        public let messages: Int
        /// Bytes of all their frames.
        public let bytes: Int
        /// Messages that wait in the relay now because their receiver is slow.
        public let heldMessages: Int
        /// What these cost in memory.
        public let heldBytes: Int
        /// Messages that ever had to wait.
        public let everHeld: Int
        /// What did not pass, by reason. Reasons that never occurred are absent.
        public let rejected: [Rejection: Int]
    }

    /// Whether the kernel's five sockets have answered and requests pass.
    public let connected: Bool
    /// How often the kernel was reached: 1 for the first time, one more for each time it was found again.
    public let kernelConnections: Int
    /// Attempts to reach the kernel that failed.
    public let failedConnects: Int
    /// How often the relay had the kernel interrupted by a signal; always 0 where nobody does that for it.
    public let interrupts: Int
    /// Both directions of all five channels.
    public let lanes: [Lane]

    /// The figures of one direction of one channel; nothing but zeros where they are not among ``lanes``.
    public subscript(channel: Channel, direction: Direction) -> Lane {
        lanes.first { $0.channel == channel && $0.direction == direction }
            ?? Lane(
                channel: channel, direction: direction, messages: 0, bytes: 0, heldMessages: 0, heldBytes: 0,
                everHeld: 0, rejected: [:])
    }

    /// What did not pass for this reason, on all lanes together.
    public func rejected(_ reason: Rejection) -> Int {
        lanes.reduce(0) { $0 + ($1.rejected[reason] ?? 0) }
    }
}
