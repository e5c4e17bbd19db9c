/// What tells a gate which kernel a connection is for, and that it may have it.
public struct GateCredentials: Sendable, CustomStringConvertible, CustomReflectable {
    /// The kernel's id; the user name of a connection is `<kernel>/<channel>`.
    public let kernel: String
    package let token: String

    /// - Parameters:
    ///   - kernel: the kernel's id.
    ///   - token: the password; it is never shown.
    public init(kernel: String, token: String) {
        self.kernel = kernel
        self.token = token
    }

    public var description: String { "credentials for \(kernel)" }
    public var customMirror: Mirror { Mirror(self, children: ["kernel": kernel]) }
}

/// How a relay differs from the usual one.
public struct RelayOptions: Sendable {
    /// Set when a gate stands before the kernel: connections then open with the PLAIN mechanism.
    public var credentials: GateCredentials?

    /// Bytes that the relay holds on each channel for clients that are slower than the kernel, before the
    /// kernel is made to wait. Less than one message cannot be held.
    public var holdLimit: Int = Tuning.holdLimit

    /// What the kernel's ROUTERs know the relay by. A relay that takes up another's kernel has the other's name, or the
    /// answers to what that one asked would go to nobody. No two may have one name at the same time.
    package var routingName: String?

    /// What becomes of an `interrupt_request`. It means nothing without ``onInterrupt``.
    package var interrupt: InterruptPolicy = .auto

    /// Interrupts the kernel by a signal. Called on the relay's thread, which it must not hold up. Without it every
    /// `interrupt_request` passes like any other message.
    package var onInterrupt: (@Sendable () -> Void)?

    /// Hears what the relay has to tell, and starts another kernel when it is asked for an attempt: then the relay
    /// speaks for a kernel that is not there. Called on the relay's thread, which it must not hold up.
    package var onEvent: (@Sendable (RelayEvent) -> Void)?

    /// Begins although ports are taken, if those of shell and iopub are not: enough to say why.
    package var bindsWhatItCan = false

    /// Whether the relay sends heartbeats of its own and notices what the kernel is doing. Off, nobody learns what is
    /// the matter with a kernel; it is there to be measured against.
    public var isWatched: Bool = true

    /// No gate, and a hold of 64 MiB.
    public init() {}
}

/// How a kernel is interrupted that a client asks to be.
package enum InterruptPolicy: String, Sendable, CaseIterable {
    /// By the message, and by a signal when the kernel does not answer it.
    case auto
    /// By the message alone.
    case message
    /// By a signal alone.
    case signal
}
